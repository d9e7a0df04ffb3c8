//! What a document may cost. Counted on the syntax tree with fragments spread, each fragment once, before validation:
//! what is refused here has taken time in proportion to its text.

use std::collections::HashMap;

use apollo_compiler::ast::{Definition, Document, Selection};

use crate::error::{Code, Error};

/// Upper bounds of one document. `usize::MAX` switches one off.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of the text.
    pub bytes: usize,
    /// Tokens of the text.
    pub tokens: usize,
    /// Levels of fields; introspection has limits of its own.
    pub depth: usize,
    /// Fields, with fragments spread.
    pub fields: usize,
    /// Aliases, with fragments spread.
    pub aliases: usize,
    /// Directives, with fragments spread.
    pub directives: usize,
    /// Rows a response may have by its limits: the product of nested lists' limits, summed.
    pub rows: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            bytes: 64 << 10,
            tokens: 8_000,
            depth: 12,
            fields: 1_000,
            aliases: 60,
            directives: 60,
            rows: 1_000_000,
        }
    }
}

/// Selection sets within each other at most, fragments spread: what every walk through a document follows.
const LEVELS: usize = 512;

#[derive(Debug, Default, Clone, Copy)]
struct Cost {
    levels: usize,
    depth: usize,
    fields: usize,
    aliases: usize,
    directives: usize,
}

impl Cost {
    fn add(&mut self, other: Self) {
        self.levels = self.levels.max(other.levels);
        self.depth = self.depth.max(other.depth);
        self.fields = self.fields.saturating_add(other.fields);
        self.aliases = self.aliases.saturating_add(other.aliases);
        self.directives = self.directives.saturating_add(other.directives);
    }
}

struct Counter<'a> {
    fragments: HashMap<&'a str, &'a [Selection]>,
    /// Fragments counted; none while one is being counted, so that a cycle ends.
    counted: HashMap<&'a str, Option<Cost>>,
    too_nested: bool,
}

/// Refuses a document that costs more than `limits`.
pub(crate) fn check(document: &Document, limits: &Limits) -> Result<(), Error> {
    let fragments = document.definitions.iter().filter_map(|definition| match definition {
        Definition::FragmentDefinition(fragment) => Some((fragment.name.as_str(), &*fragment.selection_set)),
        _ => None,
    });
    let mut counter = Counter { fragments: fragments.collect(), counted: HashMap::new(), too_nested: false };
    let mut total = Cost::default();
    for definition in &document.definitions {
        let (directives, selections) = match definition {
            Definition::OperationDefinition(operation) => {
                let on_variables: usize =
                    operation.variables.iter().map(|variable| variable.directives.len()).sum();
                (operation.directives.len() + on_variables, &operation.selection_set)
            }
            Definition::FragmentDefinition(fragment) => {
                total.directives += fragment.directives.len();
                total.levels = total.levels.max(counter.fragment(&fragment.name, 0).levels);
                continue;
            }
            _ => continue,
        };
        let mut cost = counter.selections(selections, 0);
        cost.directives = cost.directives.saturating_add(directives);
        total.add(cost);
    }
    if counter.too_nested || total.levels > LEVELS {
        return Err(refused(format!(
            "The document is nested more than {LEVELS} levels deep, fragments spread."
        )));
    }
    compare(total, limits)
}

fn compare(cost: Cost, limits: &Limits) -> Result<(), Error> {
    let counts = [
        ("levels of fields", cost.depth, limits.depth),
        ("fields", cost.fields, limits.fields),
        ("aliases", cost.aliases, limits.aliases),
        ("directives", cost.directives, limits.directives),
    ];
    match counts.into_iter().find(|(_, found, most)| found > most) {
        Some((what, found, most)) => {
            Err(refused(format!("The document has {found} {what}; at most {most} are allowed.")))
        }
        None => Ok(()),
    }
}

/// The error for a document that costs too much.
pub(crate) fn refused(message: String) -> Error {
    Error::new(Code::LimitExceeded, message)
}

impl<'a> Counter<'a> {
    fn selections(&mut self, selections: &'a [Selection], level: usize) -> Cost {
        let mut total = Cost::default();
        if level > LEVELS {
            self.too_nested = true;
            return total;
        }
        for selection in selections {
            let cost = match selection {
                Selection::Field(field) => {
                    let mut cost = self.selections(&field.selection_set, level + 1);
                    cost.depth = if field.name.starts_with("__") { 0 } else { cost.depth + 1 };
                    cost.fields = cost.fields.saturating_add(1);
                    cost.aliases = cost.aliases.saturating_add(usize::from(field.alias.is_some()));
                    cost.directives = cost.directives.saturating_add(field.directives.len());
                    cost
                }
                Selection::InlineFragment(inline) => {
                    let mut cost = self.selections(&inline.selection_set, level + 1);
                    cost.directives = cost.directives.saturating_add(inline.directives.len());
                    cost
                }
                Selection::FragmentSpread(spread) => {
                    let mut cost = self.fragment(spread.fragment_name.as_str(), level);
                    cost.directives = cost.directives.saturating_add(spread.directives.len());
                    cost
                }
            };
            total.add(Cost { levels: cost.levels + 1, ..cost });
        }
        total
    }

    fn fragment(&mut self, name: &'a str, level: usize) -> Cost {
        if let Some(known) = self.counted.get(name) {
            return known.unwrap_or_default();
        }
        let Some(selections) = self.fragments.get(name).copied() else { return Cost::default() };
        self.counted.insert(name, None);
        let cost = self.selections(selections, level + 1);
        self.counted.insert(name, Some(cost));
        cost
    }
}
