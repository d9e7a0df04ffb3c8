//! Structs and unions: what looks at more than one node.

use super::{Compiler, Result, members::Members, rules};
use crate::node::{Access, Extra, Field, Node, SEARCHED_FIELDS, Scalar, Struct, Tagged, Union, spelled_list};
use plectrum_json::read::Key;
use serde_json::Value;
use std::collections::HashMap;

impl<'v> Compiler<'v> {
    pub(super) fn structure(&self, members: &mut Members<'v>) -> Result<Struct> {
        let name = members.text("name")?.to_owned();
        members.set_path(&name);
        let class = members.class()?;
        let extra = match members.optional_text("extra")? {
            None | Some("ignore") => Extra::Ignore,
            Some("forbid") => Extra::Forbid,
            Some(other) => {
                return Err(members.error(format!("unknown `extra` `{other}`; use ignore or forbid")));
            }
        };
        let fields = members.list("fields")?.iter().map(|field| self.field(field, &name));
        let fields: Vec<Field> = fields.collect::<Result<_>>()?;
        let mut index = HashMap::with_capacity(fields.len());
        for (slot, field) in fields.iter().enumerate() {
            if index.insert(field.key.clone(), slot).is_some() {
                let fix = "give one of them another alias";
                return Err(members.error(format!("two fields have the key `{}`; {fix}", field.key)));
            }
        }
        if fields.len() <= SEARCHED_FIELDS {
            index.clear();
        }
        Ok(Struct { name, class, fields, extra, index })
    }

    fn field(&self, value: &'v Value, structure: &str) -> Result<Field> {
        let mut members = Members::of(value, structure)?;
        let name = members.text("name")?.to_owned();
        members.set_path(&format!("{structure}.{name}"));
        let key = members.optional_text("alias")?.map_or_else(|| name.clone(), str::to_owned);
        let expected = Key::new(&key);
        let node = self.node(members.required("node")?, members.path())?;
        let required = members.flag("required", true)?;
        // A default of `null` is one too.
        members.optional("default");
        let default = value.get("default").cloned();
        let description = members.optional_text("description")?.map(str::to_owned);
        members.optional("examples");
        let examples = value.get("examples").and_then(Value::as_array).cloned().unwrap_or_default();
        let access = match members.optional_text("access")? {
            None => Access::Both,
            Some("read_only") => Access::ReadOnly,
            Some("write_only") => Access::WriteOnly,
            Some(other) => {
                return Err(members.error(format!("unknown `access` `{other}`; use read_only or write_only")));
            }
        };
        members.done("a field", &[])?;
        Ok(Field { name, key, expected, node, required, default, description, examples, access })
    }

    pub(super) fn union(&self, members: &mut Members<'v>) -> Result<Union> {
        let options = self.children(members, "options")?;
        if options.is_empty() {
            return Err(members.error("a union needs at least one option"));
        }
        let tagged = match members.optional_text("discriminator")? {
            Some(discriminator) => Some(self.tagged(discriminator, members)?),
            None => None,
        };
        let order = |rank: fn(&Node) -> u8| {
            let mut order: Box<[usize]> = (0..options.len()).collect();
            // Stable: equals stay in declared order.
            order.sort_by_key(|&index| rank(&options[index]));
            order
        };
        let (for_int, for_float, declared) = (order(int_rank), order(float_rank), order(|_| 0));
        Ok(Union { options, tagged, for_int, for_float, declared })
    }

    /// The value → option table of a discriminated union.
    fn tagged(&self, discriminator: &str, members: &mut Members<'v>) -> Result<Tagged> {
        let mut tags: Vec<(Scalar, usize)> = Vec::new();
        for (option, value) in members.list("options")?.iter().enumerate() {
            for tag in self.tags_of(value, discriminator).map_err(|message| members.error(message))? {
                if tags.iter().any(|(known, _)| *known == tag) {
                    return Err(members.error(format!("two options have the tag {tag} in `{discriminator}`")));
                }
                tags.push((tag, option));
            }
        }
        let expected = spelled_list(tags.iter().map(|(tag, _)| tag.to_string()));
        Ok(Tagged { discriminator: discriminator.to_owned(), tags, expected })
    }

    /// The values an option's discriminating field may have.
    fn tags_of(&self, option: &Value, discriminator: &str) -> std::result::Result<Vec<Scalar>, String> {
        let mut option = option;
        // Definitions may be references again; cycles are refused later, so do not follow more than there are.
        for _ in 0..=self.definitions.len() {
            match option.get("index").and_then(Value::as_u64).and_then(|index| usize::try_from(index).ok()) {
                Some(index) if option["type"] == "reference" => match self.definitions.get(index) {
                    Some(definition) => option = definition,
                    None => break,
                },
                _ => break,
            }
        }
        let name = option["name"].as_str().unwrap_or("an option");
        let fields = option["fields"].as_array().map_or(&[][..], Vec::as_slice);
        let key = |field: &Value| field["alias"].as_str().or(field["name"].as_str()) == Some(discriminator);
        let values =
            fields.iter().find(|field| key(field)).and_then(|field| match field["node"]["type"].as_str() {
                Some("literal" | "enum") => field["node"]["values"].as_array(),
                _ => None,
            });
        let fix = "every option must be a struct with it as a Literal or an enum";
        let values = values.ok_or_else(|| format!("{name} has no discriminator `{discriminator}`; {fix}"))?;
        Ok(values.iter().filter_map(rules::scalar).collect())
    }
}

/// How exactly an integer literal is this type; lower is tried first.
fn int_rank(node: &Node) -> u8 {
    match node {
        Node::Optional { inner } | Node::Checked { inner, .. } => int_rank(inner),
        Node::Literal { .. } | Node::Enum { .. } => 0,
        Node::Int(_) => 1,
        Node::Decimal(_) => 2,
        Node::Float(_) => 3,
        _ => 4,
    }
}

/// How exactly a number with a point or an exponent is this type; lower is tried first.
fn float_rank(node: &Node) -> u8 {
    match node {
        Node::Optional { inner } | Node::Checked { inner, .. } => float_rank(inner),
        Node::Literal { .. } | Node::Enum { .. } => 0,
        Node::Float(_) => 1,
        Node::Decimal(_) => 2,
        Node::Int(_) => 3,
        _ => 4,
    }
}
