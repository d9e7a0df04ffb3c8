//! The schema, compiled once.

use apollo_compiler::ast::{DirectiveList, FieldDefinition, Type};
use apollo_compiler::collections::{HashMap, HashSet};
use apollo_compiler::schema::{Component, ExtendedType, Implementers};
use apollo_compiler::validation::Valid;
use apollo_compiler::{Name, Schema, name};

/// The directive of the September 2025 specification, which the compiler does not bring along.
const ONE_OF: &str = "@oneOf";

/// A schema and what is looked up in it on every request.
#[derive(Debug)]
pub struct Graph {
    pub(crate) schema: Valid<Schema>,
    pub(crate) implementers: HashMap<Name, Implementers>,
    /// Whether values of `ID` name their type, too.
    pub(crate) global_ids: bool,
    /// Whether clients may ask for the schema.
    pub(crate) introspection: bool,
}

impl Graph {
    /// Compiles a schema.
    ///
    /// # Errors
    /// What is wrong with it, in the compiler's words.
    pub fn parse(sdl: &str, global_ids: bool, introspection: bool) -> Result<Self, String> {
        let mut builder = Schema::builder().parse(sdl, "schema.graphql");
        if sdl.contains(ONE_OF) && !sdl.contains(&format!("directive {ONE_OF}")) {
            builder = builder.parse(format!("directive {ONE_OF} on INPUT_OBJECT"), "built_in.graphql");
        }
        let mut schema = builder.build().map_err(|error| error.to_string())?;
        add_is_one_of(&mut schema);
        let schema = schema.validate().map_err(|error| error.to_string())?;
        let implementers = schema.implementers_map();
        Ok(Self { schema, implementers, global_ids, introspection })
    }

    /// Whether there is anything to hear.
    #[must_use]
    pub fn has_subscriptions(&self) -> bool {
        self.schema.schema_definition.subscription.is_some()
    }

    /// Whether there is anything to send a file to.
    #[must_use]
    pub fn has_uploads(&self) -> bool {
        self.schema.types.contains_key("Upload")
    }

    /// Object types a value of a composite type can be of, in the schema's order.
    pub(crate) fn possible_types(&self, name: &str) -> Vec<Name> {
        if let Some((known, _)) = self.schema.types.get_key_value(name).filter(|(_, ty)| ty.is_object()) {
            return vec![known.clone()];
        }
        if let Some(union) = self.schema.get_union(name) {
            return union.members.iter().map(|member| member.name.clone()).collect();
        }
        let objects: HashSet<&Name> =
            self.implementers.get(name).map_or_else(HashSet::default, |found| found.objects.iter().collect());
        self.schema.types.keys().filter(|name| objects.contains(name)).cloned().collect()
    }

    /// Whether an object type is, or belongs to, a type condition's type.
    pub(crate) fn is_a(&self, object: &str, condition: &str) -> bool {
        object == condition || self.schema.is_subtype(condition, object)
    }
}

/// Adds `__Type.isOneOf`, which the compiler does not bring along either.
fn add_is_one_of(schema: &mut Schema) {
    if let Some(ExtendedType::Object(ty)) = schema.types.get_mut("__Type") {
        let field = FieldDefinition {
            description: None,
            name: name!("isOneOf"),
            arguments: Vec::new(),
            ty: Type::Named(name!("Boolean")),
            directives: DirectiveList::default(),
        };
        ty.make_mut().fields.insert(name!("isOneOf"), Component::new(field));
    }
}
