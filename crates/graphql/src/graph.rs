//! The schema, compiled once.

use apollo_compiler::collections::{HashMap, HashSet};
use apollo_compiler::schema::Implementers;
use apollo_compiler::validation::Valid;
use apollo_compiler::{Name, Schema};

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
        let schema = builder.build().map_err(|error| error.to_string())?;
        let schema = schema.validate().map_err(|error| error.to_string())?;
        let implementers = schema.implementers_map();
        Ok(Self { schema, implementers, global_ids, introspection })
    }

    /// Whether there is anything to write.
    #[must_use]
    pub fn has_mutations(&self) -> bool {
        self.schema.schema_definition.mutation.is_some()
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
