//! `__schema` and `__type` (section 4 of the specification, `isOneOf` of September 2025): answered from the schema alone.

use apollo_compiler::ast::{
    DirectiveDefinition, DirectiveList, EnumValueDefinition, FieldDefinition, InputValueDefinition, Type,
    Value,
};
use apollo_compiler::executable::{Field, Operation, SelectionSet};
use apollo_compiler::response::JsonMap;
use apollo_compiler::schema::{Component, ExtendedType};
use apollo_compiler::validation::Valid;
use apollo_compiler::{Name, Node};
use plectrum_json::{text, write_bool, write_null};

use crate::collect::Collector;
use crate::document::Document;
use crate::graph::Graph;

/// The introspection part of an operation's response: response keys and JSON.
#[derive(Debug)]
pub struct Introspected(Vec<(String, Vec<u8>)>);

impl Introspected {
    /// Executes it; validation has bounded its depth.
    #[must_use]
    pub fn execute(
        graph: &Graph,
        document: &Document,
        operation: &Operation,
        variables: &Valid<JsonMap>,
    ) -> Self {
        let collector = Collector { graph, document, variables };
        let sets = std::iter::once(&operation.selection_set);
        let mut answered = Vec::new();
        for (key, fields) in collector.collect(operation.object_type(), sets) {
            let mut writer = Writer { collector: &collector, graph, out: Vec::new() };
            match fields.first().map(|field| (field, field.name.as_str())) {
                Some((_, "__schema")) => writer.object(Thing::Schema, &fields),
                Some((field, "__type")) => {
                    match writer.text_of(field, "name").and_then(|name| graph.schema.types.get(name)) {
                        Some(ty) => writer.object(Thing::Type(ty), &fields),
                        None => write_null(&mut writer.out),
                    }
                }
                _ => continue,
            }
            answered.push((key.to_string(), writer.out));
        }
        Self(answered)
    }

    /// Appends the value of a root field.
    pub fn write(&self, key: &str, out: &mut Vec<u8>) {
        match self.0.iter().find(|(known, _)| known == key) {
            Some((_, json)) => out.extend_from_slice(json),
            None => write_null(out),
        }
    }
}

/// What introspection's types are of.
#[derive(Clone, Copy)]
enum Thing<'a> {
    Schema,
    Type(&'a ExtendedType),
    /// A list or what must not be null; the latter without its mark.
    List(&'a Type),
    NonNull(&'a Type),
    Field(&'a FieldDefinition),
    Input(&'a InputValueDefinition),
    Member(&'a EnumValueDefinition),
    Directive(&'a DirectiveDefinition),
}

impl Thing<'_> {
    fn type_name(self) -> &'static str {
        match self {
            Self::Schema => "__Schema",
            Self::Type(_) | Self::List(_) | Self::NonNull(_) => "__Type",
            Self::Field(_) => "__Field",
            Self::Input(_) => "__InputValue",
            Self::Member(_) => "__EnumValue",
            Self::Directive(_) => "__Directive",
        }
    }
}

struct Writer<'a, 'c> {
    collector: &'c Collector<'a>,
    graph: &'a Graph,
    out: Vec<u8>,
}

impl<'a> Writer<'a, '_> {
    fn object(&mut self, thing: Thing<'a>, fields: &[&'a Field]) {
        let sets = fields.iter().map(|field| -> &'a SelectionSet { &field.selection_set });
        self.out.push(b'{');
        for (index, (key, fields)) in self.collector.collect(thing.type_name(), sets).iter().enumerate() {
            let Some(field) = fields.first() else { continue };
            if index > 0 {
                self.out.push(b',');
            }
            text::write(&mut self.out, key);
            self.out.push(b':');
            match (field.name.as_str(), thing) {
                ("__typename", thing) => text::write(&mut self.out, thing.type_name()),
                (_, Thing::Schema) => self.of_schema(field, fields),
                (_, Thing::Type(ty)) => self.of_type(ty, field, fields),
                ("kind", Thing::List(_)) => text::write(&mut self.out, "LIST"),
                ("kind", Thing::NonNull(_)) => text::write(&mut self.out, "NON_NULL"),
                ("ofType", Thing::List(ty)) => self.ty(ty.item_type(), fields),
                ("ofType", Thing::NonNull(ty)) => self.bare(ty, fields),
                (_, Thing::List(_) | Thing::NonNull(_)) => write_null(&mut self.out),
                (_, Thing::Field(known)) => self.of_field(known, field, fields),
                (_, Thing::Input(known)) => self.of_input(known, field, fields),
                (name, Thing::Member(known)) => match name {
                    "name" => text::write(&mut self.out, &known.value),
                    "description" => self.description(known.description.as_ref()),
                    name => self.deprecation(name, &known.directives),
                },
                (_, Thing::Directive(known)) => self.of_directive(known, field, fields),
            }
        }
        self.out.push(b'}');
    }

    fn of_schema(&mut self, field: &'a Field, fields: &[&'a Field]) {
        let schema = &self.graph.schema;
        let roots = &schema.schema_definition;
        match field.name.as_str() {
            "description" => self.description(roots.description.as_ref()),
            "types" => self.list(schema.types.values().map(Thing::Type), fields),
            "queryType" => self.named(roots.query.as_ref().map(|root| &root.name), fields),
            "mutationType" => self.named(roots.mutation.as_ref().map(|root| &root.name), fields),
            "subscriptionType" => self.named(roots.subscription.as_ref().map(|root| &root.name), fields),
            _ => {
                self.list(schema.directive_definitions.values().map(|known| Thing::Directive(known)), fields);
            }
        }
    }

    fn of_type(&mut self, ty: &'a ExtendedType, field: &'a Field, fields: &[&'a Field]) {
        match (field.name.as_str(), ty) {
            ("kind", ty) => text::write(&mut self.out, kind(ty)),
            ("name", ty) => text::write(&mut self.out, ty.name()),
            ("description", ty) => self.description(ty.description()),
            ("fields", ExtendedType::Object(object)) => self.fields(object.fields.values(), field, fields),
            ("fields", ExtendedType::Interface(interface)) => {
                self.fields(interface.fields.values(), field, fields);
            }
            ("interfaces", ExtendedType::Object(object)) => {
                self.names(object.implements_interfaces.iter().map(|name| &name.name), fields);
            }
            ("interfaces", ExtendedType::Interface(interface)) => {
                self.names(interface.implements_interfaces.iter().map(|name| &name.name), fields);
            }
            ("possibleTypes", ExtendedType::Interface(_) | ExtendedType::Union(_)) => {
                self.names(self.graph.possible_types(ty.name()).iter(), fields);
            }
            ("enumValues", ExtendedType::Enum(known)) => {
                let all = self.is_asked(field);
                let shown = known.values.values().filter(|one| all || !is_deprecated(&one.directives));
                self.list(shown.map(|one| Thing::Member(one)), fields);
            }
            ("inputFields", ExtendedType::InputObject(object)) => {
                self.inputs(object.fields.values().map(|one| &***one), field, fields);
            }
            ("specifiedByURL", ExtendedType::Scalar(scalar)) => {
                let directive = scalar.directives.get("specifiedBy");
                let url = directive.and_then(|directive| directive.specified_argument_by_name("url"));
                self.text(url.and_then(|url| url.as_str()));
            }
            ("isOneOf", ExtendedType::InputObject(object)) => {
                write_bool(&mut self.out, object.directives.has("oneOf"));
            }
            _ => write_null(&mut self.out),
        }
    }

    fn of_field(&mut self, known: &'a FieldDefinition, field: &'a Field, fields: &[&'a Field]) {
        match field.name.as_str() {
            "name" => text::write(&mut self.out, &known.name),
            "description" => self.description(known.description.as_ref()),
            "args" => self.inputs(known.arguments.iter().map(|one| &**one), field, fields),
            "type" => self.ty(&known.ty, fields),
            name => self.deprecation(name, &known.directives),
        }
    }

    fn of_input(&mut self, known: &'a InputValueDefinition, field: &'a Field, fields: &[&'a Field]) {
        match field.name.as_str() {
            "name" => text::write(&mut self.out, &known.name),
            "description" => self.description(known.description.as_ref()),
            "type" => self.ty(&known.ty, fields),
            "defaultValue" => {
                let written =
                    known.default_value.as_ref().map(|value| value.serialize().no_indent().to_string());
                self.text(written.as_deref());
            }
            name => self.deprecation(name, &known.directives),
        }
    }

    fn of_directive(&mut self, known: &'a DirectiveDefinition, field: &'a Field, fields: &[&'a Field]) {
        match field.name.as_str() {
            "name" => text::write(&mut self.out, &known.name),
            "description" => self.description(known.description.as_ref()),
            "isRepeatable" => write_bool(&mut self.out, known.repeatable),
            "args" => self.inputs(known.arguments.iter().map(|one| &**one), field, fields),
            _ => {
                let names: Vec<String> =
                    known.locations.iter().map(|location| format!("\"{location}\"")).collect();
                self.out.extend_from_slice(format!("[{}]", names.join(",")).as_bytes());
            }
        }
    }

    /// `isDeprecated` and `deprecationReason`.
    fn deprecation(&mut self, name: &str, directives: &DirectiveList) {
        if name == "isDeprecated" {
            return write_bool(&mut self.out, is_deprecated(directives));
        }
        let directive = directives.get("deprecated");
        let reason =
            directive.and_then(|directive| directive.argument_by_name("reason", &self.graph.schema).ok());
        self.text(reason.and_then(|reason| reason.as_str()));
    }

    fn fields(
        &mut self,
        known: impl Iterator<Item = &'a Component<FieldDefinition>>,
        field: &Field,
        fields: &[&'a Field],
    ) {
        let all = self.is_asked(field);
        let shown = known.filter(|one| all || !is_deprecated(&one.directives));
        self.list(shown.map(|one| Thing::Field(one)), fields);
    }

    fn inputs(
        &mut self,
        known: impl Iterator<Item = &'a InputValueDefinition>,
        field: &Field,
        fields: &[&'a Field],
    ) {
        let all = self.is_asked(field);
        self.list(known.filter(|one| all || !is_deprecated(&one.directives)).map(Thing::Input), fields);
    }

    fn names<'n>(&mut self, names: impl Iterator<Item = &'n Name>, fields: &[&'a Field]) {
        let graph = self.graph;
        self.list(names.filter_map(|name| graph.schema.types.get(name)).map(Thing::Type), fields);
    }

    fn list(&mut self, things: impl Iterator<Item = Thing<'a>>, fields: &[&'a Field]) {
        self.out.push(b'[');
        for (index, thing) in things.enumerate() {
            if index > 0 {
                self.out.push(b',');
            }
            self.object(thing, fields);
        }
        self.out.push(b']');
    }

    fn named(&mut self, name: Option<&Name>, fields: &[&'a Field]) {
        match name.and_then(|name| self.graph.schema.types.get(name)) {
            Some(ty) => self.object(Thing::Type(ty), fields),
            None => write_null(&mut self.out),
        }
    }

    fn ty(&mut self, ty: &'a Type, fields: &[&'a Field]) {
        match ty {
            Type::NonNullNamed(_) | Type::NonNullList(_) => self.object(Thing::NonNull(ty), fields),
            Type::Named(_) | Type::List(_) => self.bare(ty, fields),
        }
    }

    /// A type, whether it may be null or not.
    fn bare(&mut self, ty: &'a Type, fields: &[&'a Field]) {
        match ty {
            Type::List(_) | Type::NonNullList(_) => self.object(Thing::List(ty), fields),
            Type::Named(name) | Type::NonNullNamed(name) => self.named(Some(name), fields),
        }
    }

    fn description(&mut self, description: Option<&Node<str>>) {
        self.text(description.map(|description| &**description));
    }

    fn text(&mut self, value: Option<&str>) {
        match value {
            Some(value) => text::write(&mut self.out, value),
            None => write_null(&mut self.out),
        }
    }

    /// `includeDeprecated`.
    fn is_asked(&self, field: &Field) -> bool {
        match field.specified_argument_by_name("includeDeprecated").map(|value| &**value) {
            Some(Value::Boolean(value)) => *value,
            Some(Value::Variable(name)) => {
                self.collector.variables.get(name.as_str()).and_then(|value| value.as_bool()).unwrap_or(false)
            }
            _ => false,
        }
    }

    /// An argument that is a text.
    fn text_of(&self, field: &'a Field, name: &str) -> Option<&'a str> {
        match &**field.specified_argument_by_name(name)? {
            Value::String(text) => Some(text),
            Value::Variable(name) => self.collector.variables.get(name.as_str())?.as_str(),
            _ => None,
        }
    }
}

fn is_deprecated(directives: &DirectiveList) -> bool {
    directives.has("deprecated")
}

fn kind(ty: &ExtendedType) -> &'static str {
    match ty {
        ExtendedType::Scalar(_) => "SCALAR",
        ExtendedType::Object(_) => "OBJECT",
        ExtendedType::Interface(_) => "INTERFACE",
        ExtendedType::Union(_) => "UNION",
        ExtendedType::Enum(_) => "ENUM",
        ExtendedType::InputObject(_) => "INPUT_OBJECT",
    }
}
