//! Literals are of their position's type (section 5.6).

use apollo_compiler::ast::{DirectiveLocation, InputValueDefinition, Type, Value, VariableDefinition};
use apollo_compiler::schema::{EnumType, ExtendedType, InputObjectType};
use apollo_compiler::{Name, Node};

use super::selections::Walk;
use super::variables::Use;

/// Where a value is.
#[derive(Default)]
pub(super) struct Position<'a> {
    /// What it has to be; none where that is not known.
    ty: Option<&'a Type>,
    /// Whether there is a value where this one is absent.
    has_default: bool,
    /// The OneOf input object, and its field, whose value it is.
    one_of: Option<(&'a Name, &'a Name)>,
    /// Whether what is around has been judged as a whole: only variables are looked at.
    is_judged: bool,
}

type Fields = [(Name, Node<Value>)];

impl<'a> Position<'a> {
    pub(super) fn of(definition: Option<&'a InputValueDefinition>) -> Self {
        Self {
            ty: definition.map(|definition| &*definition.ty),
            has_default: definition.is_some_and(|definition| definition.default_value.is_some()),
            ..Self::default()
        }
    }

    /// Of a value within one that has been judged as a whole.
    fn judged() -> Self {
        Self { is_judged: true, ..Self::default() }
    }

    /// Of an item in a list here. A list where none is wanted is one value to a scalar of the user's own.
    fn item(&self) -> Self {
        match self.ty {
            Some(Type::List(item) | Type::NonNullList(item)) => {
                Self { ty: Some(item), is_judged: self.is_judged, ..Self::default() }
            }
            _ => Self::judged(),
        }
    }
}

impl<'a> Walk<'a, '_> {
    /// A variable's default value and directives, in which the parser lets no variables be.
    pub(super) fn constants(&mut self, variable: &'a Node<VariableDefinition>) {
        if let Some(default) = &variable.default_value {
            let ty = Some(&*variable.ty).filter(|ty| self.context.schema.is_input_type(ty));
            self.value(Position { ty, ..Position::default() }, default);
        }
        self.directives(&variable.directives, DirectiveLocation::VariableDefinition);
    }

    pub(super) fn value(&mut self, position: Position<'a>, value: &'a Node<Value>) {
        match &**value {
            Value::Variable(name) => self.uses.variables.push(Use {
                name,
                span: value.location(),
                expected: position.ty,
                has_default: position.has_default,
                one_of: position.one_of,
            }),
            Value::Null => self.null(&position, value),
            Value::List(items) => {
                if !position.ty.is_some_and(Type::is_list) {
                    self.literal(&position, value);
                }
                items.iter().for_each(|item| self.value(position.item(), item));
            }
            Value::Object(fields) => match self.input_object(&position) {
                Some(object) => self.object(object, &position, fields, value),
                None => {
                    self.literal(&position, value);
                    self.unique(fields);
                    fields.iter().for_each(|(_, value)| self.value(Position::judged(), value));
                }
            },
            _ => self.literal(&position, value),
        }
    }

    fn input_object(&self, position: &Position<'a>) -> Option<&'a InputObjectType> {
        match self.context.schema.types.get(position.ty?.inner_named_type())? {
            ExtendedType::InputObject(object) => Some(object),
            _ => None,
        }
    }

    fn null(&self, position: &Position<'a>, value: &Node<Value>) {
        if let Some(ty) = position.ty.filter(|ty| ty.is_non_null() && !position.is_judged) {
            self.context
                .report(&[value.location()], format_args!("Expected value of type \"{ty}\", found null."));
        }
    }

    fn unique(&self, fields: &Fields) {
        for (name, same) in super::repeated(fields, |(name, _)| name) {
            for (again, _) in same.iter().skip(1) {
                self.context.report(
                    &[same[0].0.location(), again.location()],
                    format_args!("There can be only one input field named \"{name}\"."),
                );
            }
        }
    }

    fn object(
        &mut self,
        object: &'a InputObjectType,
        position: &Position<'a>,
        fields: &'a Fields,
        value: &Node<Value>,
    ) {
        let is_one_of = object.directives.has("oneOf");
        self.unique(fields);
        if !position.is_judged {
            self.missing_fields(object, fields, value);
            self.unknown_fields(object, fields);
            if is_one_of && !matches!(fields, [(_, only)] if !only.is_null()) {
                self.context.report(
                    &[value.location()],
                    format_args!(
                        "Within OneOf Input Object type \"{}\", exactly one field must be specified, and the value \
                         for that field must be non-null.",
                        object.name
                    ),
                );
            }
        }
        for (name, value) in fields {
            let known = object.fields.get(name).map(|known| &***known);
            let one_of = is_one_of.then_some((&object.name, name));
            self.value(Position { one_of, is_judged: position.is_judged, ..Position::of(known) }, value);
        }
    }

    fn missing_fields(&self, object: &InputObjectType, fields: &Fields, value: &Node<Value>) {
        for (name, known) in object.fields.iter().filter(|(_, known)| known.is_required()) {
            if !fields.iter().any(|(given, _)| given == name) {
                let (ty, wanted) = (&object.name, &known.ty);
                self.context.report(
                    &[value.location()],
                    format_args!("Field \"{ty}.{name}\" of required type \"{wanted}\" was not provided."),
                );
            }
        }
    }

    fn unknown_fields(&self, object: &InputObjectType, fields: &Fields) {
        for (name, _) in fields.iter().filter(|(name, _)| !object.fields.contains_key(name)) {
            let meant = self.context.did_you_mean("", name, object.fields.keys().map(Name::as_str));
            self.context.report(
                &[name.location()],
                format_args!("Field \"{name}\" is not defined by type \"{}\".{meant}", object.name),
            );
        }
    }

    /// A value that is neither null nor an input object's, at a position of any type.
    fn literal(&self, position: &Position<'a>, value: &Node<Value>) {
        let Some(expected) = position.ty.filter(|_| !position.is_judged) else { return };
        let name = expected.inner_named_type();
        let place = [value.location()];
        match self.context.schema.types.get(name) {
            Some(ExtendedType::Scalar(_)) => {
                if let Some(why) = wrong_scalar(name, value) {
                    self.context.report(&place, format_args!("{name} cannot represent {why}: {value}"));
                }
            }
            Some(ExtendedType::Enum(known)) => self.member(known, value),
            _ => self
                .context
                .report(&place, format_args!("Expected value of type \"{expected}\", found {value}.")),
        }
    }

    fn member(&self, known: &EnumType, value: &Node<Value>) {
        let ty = &known.name;
        let place = [value.location()];
        let names = || known.values.keys().map(Name::as_str);
        let what = "the enum value ";
        match &**value {
            Value::Enum(name) if known.values.contains_key(name) => {}
            Value::Enum(name) => {
                let meant = self.context.did_you_mean(what, name, names());
                self.context
                    .report(&place, format_args!("Value \"{name}\" does not exist in \"{ty}\" enum.{meant}"));
            }
            other => {
                let meant = self.context.did_you_mean(what, &other.to_string(), names());
                self.context.report(
                    &place,
                    format_args!("Enum \"{ty}\" cannot represent non-enum value: {value}.{meant}"),
                );
            }
        }
    }
}

/// Why a literal is none of a scalar's; those of other scalars are for whoever declared them.
fn wrong_scalar(name: &str, value: &Value) -> Option<&'static str> {
    match (name, value) {
        ("Int", Value::Int(digits)) => {
            digits.try_to_i32().is_err().then_some("non 32-bit signed integer value")
        }
        ("Int", _) => Some("non-integer value"),
        ("Float", Value::Int(digits)) => digits.try_to_f64().is_err().then_some("non numeric value"),
        ("Float", Value::Float(digits)) => digits.try_to_f64().is_err().then_some("non numeric value"),
        ("Float", _) => Some("non numeric value"),
        ("String", Value::String(_)) | ("Boolean", Value::Boolean(_)) => None,
        ("String", _) => Some("a non string value"),
        ("Boolean", _) => Some("a non boolean value"),
        ("ID", Value::String(_) | Value::Int(_)) => None,
        ("ID", _) => Some("a non-string and non-integer value"),
        _ => None,
    }
}
