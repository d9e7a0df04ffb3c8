//! Description (JSON from Python) → compiled tree. Every constraint is checked here, once, when the process starts;
//! an error names the field it belongs to and the way out.

mod cycles;
mod members;
mod rules;
mod union;

use crate::node::{Container, ListNode, Node, Schema};
use members::Members;
use serde_json::Value;

/// A description that cannot be compiled.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DefinitionError {
    /// The field, as the user would name it: `Article.tags[item].name`.
    pub path: String,
    /// What is wrong, and the fix.
    pub message: String,
}

impl std::fmt::Display for DefinitionError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if self.path.is_empty() {
            f.write_str(&self.message)
        } else {
            write!(f, "{}: {}", self.path, self.message)
        }
    }
}

impl std::error::Error for DefinitionError {}

type Result<T> = std::result::Result<T, DefinitionError>;

impl Schema {
    /// Compiles a description: `{"root": node, "definitions": [node, …]}`.
    ///
    /// # Errors
    /// [`DefinitionError`] for text that is no such description, a constraint that its type does not know or that
    /// nothing can meet, a regular expression that does not compile, a reference to nowhere or only to itself.
    pub fn from_json(description: &str) -> Result<Self> {
        let value: Value = serde_json::from_str(description).map_err(|error| DefinitionError {
            path: String::new(),
            message: format!("the description is not JSON: {error}"),
        })?;
        let mut members = Members::of(&value, "")?;
        let definitions = members.list("definitions")?;
        let root = members.required("root")?;
        members.done("a schema", &[])?;
        Compiler { definitions }.schema(root)
    }
}

/// Compiles nodes that may refer to `definitions`.
struct Compiler<'v> {
    definitions: &'v [Value],
}

impl<'v> Compiler<'v> {
    fn schema(&self, root: &'v Value) -> Result<Schema> {
        let named = self.definitions.iter().enumerate();
        let definitions = named.map(|(index, node)| self.node(node, &format!("definitions[{index}]")));
        let schema = Schema { definitions: definitions.collect::<Result<_>>()?, root: self.node(root, "")? };
        cycles::refuse(&schema)?;
        Ok(schema)
    }

    fn node(&self, value: &'v Value, path: &str) -> Result<Node> {
        let mut members = Members::of(value, path)?;
        let kind = members.text("type")?;
        let node = self.kind(kind, &mut members)?;
        members.done(kind, rules::constraints(kind))?;
        Ok(node)
    }

    fn kind(&self, kind: &str, members: &mut Members<'v>) -> Result<Node> {
        Ok(match kind {
            "any" => Node::Any,
            "null" => Node::Null,
            "bool" => Node::Bool,
            "int" => Node::Int(rules::limits(members)?),
            "float" => Node::Float(rules::limits(members)?),
            "decimal" => Node::Decimal(rules::decimal(members)?),
            "str" => Node::Str(rules::text(members)?),
            "bytes" => Node::Bytes(rules::length(members)?),
            "uuid" => Node::Uuid,
            "date" => Node::Date,
            "time" => Node::Time,
            "datetime" => Node::Datetime,
            "duration" => Node::Duration,
            "enum" => Node::Enum { class: members.class()?, values: rules::choices(members)? },
            "literal" => Node::Literal { values: rules::choices(members)? },
            "list" => Node::List(self.list(members)?),
            "tuple" => Node::Tuple { items: self.children(members, "items")? },
            "dict" => self.dict(members)?,
            "struct" => Node::Struct(self.structure(members)?),
            "optional" => Node::Optional { inner: self.child(members, "inner", "")? },
            "union" => Node::Union(self.union(members)?),
            "checked" => Node::Checked { class: members.class()?, inner: self.child(members, "inner", "")? },
            "reference" => self.reference(members)?,
            "foreign" => {
                Node::Foreign { class: members.class()?, describe: members.optional("describe").cloned() }
            }
            "upload" => Node::Upload(rules::upload(members)?),
            other => return Err(members.error(format!("unknown type `{other}`"))),
        })
    }

    fn child(&self, members: &mut Members<'v>, name: &str, suffix: &str) -> Result<Box<Node>> {
        let value = members.required(name)?;
        Ok(Box::new(self.node(value, &format!("{}{suffix}", members.path()))?))
    }

    fn children(&self, members: &mut Members<'v>, name: &str) -> Result<Vec<Node>> {
        let path = members.path().to_owned();
        let values = members.list(name)?.iter().enumerate();
        values.map(|(index, value)| self.node(value, &format!("{path}[{index}]"))).collect()
    }

    fn list(&self, members: &mut Members<'v>) -> Result<ListNode> {
        let container = match members.optional_text("container")? {
            None | Some("list") => Container::List,
            Some("set") => Container::Set,
            Some("frozenset") => Container::FrozenSet,
            Some("tuple") => Container::Tuple,
            Some(other) => return Err(members.error(format!("unknown container `{other}`"))),
        };
        Ok(ListNode {
            item: self.child(members, "item", "[item]")?,
            container,
            length: rules::length(members)?,
        })
    }

    fn dict(&self, members: &mut Members<'v>) -> Result<Node> {
        let key = self.child(members, "key", "[key]")?;
        if matches!(
            *key,
            Node::List(_)
                | Node::Tuple { .. }
                | Node::Dict { .. }
                | Node::Struct(_)
                | Node::Foreign { .. }
                | Node::Upload(_)
        ) {
            let fix = "JSON keys are text: use str, int, uuid, an enum or another scalar";
            return Err(members.error(format!("a {} cannot be the key of a dict; {fix}", key.kind())));
        }
        let value = self.child(members, "value", "[value]")?;
        Ok(Node::Dict { key, value, length: rules::length(members)? })
    }

    fn reference(&self, members: &mut Members<'v>) -> Result<Node> {
        let index = members.count("index")?.unwrap_or(usize::MAX);
        if index >= self.definitions.len() {
            let known = self.definitions.len();
            return Err(members.error(format!("a reference needs the index of a definition, below {known}")));
        }
        Ok(Node::Reference { index })
    }
}

#[cfg(test)]
mod tests;
