//! `CollectFields()` of the specification (section 6.3.2): fragments spread, `@skip` and `@include` decided, fields of one
//! response key together.

use apollo_compiler::Name;
use apollo_compiler::collections::{HashSet, IndexMap};
use apollo_compiler::executable::{DirectiveList, Field, Selection, SelectionSet, Value};
use apollo_compiler::response::JsonMap;

use crate::document::Document;
use crate::graph::Graph;

/// Fields by response key, in the order of the document.
pub(crate) type Collected<'a> = IndexMap<&'a Name, Vec<&'a Field>>;

/// Collects the fields an object of one type has in some selection sets.
pub(crate) struct Collector<'a> {
    pub(crate) graph: &'a Graph,
    pub(crate) document: &'a Document,
    pub(crate) variables: &'a JsonMap,
}

impl<'a> Collector<'a> {
    pub(crate) fn collect(
        &self,
        object: &str,
        sets: impl Iterator<Item = &'a SelectionSet>,
    ) -> Collected<'a> {
        let mut collected = Collected::default();
        let mut spread = HashSet::default();
        for set in sets {
            self.add(object, set, &mut collected, &mut spread);
        }
        collected
    }

    fn add(
        &self,
        object: &str,
        set: &'a SelectionSet,
        collected: &mut Collected<'a>,
        spread: &mut HashSet<&'a Name>,
    ) {
        for selection in &set.selections {
            if !self.is_included(selection.directives()) {
                continue;
            }
            match selection {
                Selection::Field(field) => collected.entry(field.response_key()).or_default().push(field),
                Selection::InlineFragment(inline) => {
                    let fits = inline.type_condition.as_ref().is_none_or(|ty| self.graph.is_a(object, ty));
                    if fits {
                        self.add(object, &inline.selection_set, collected, spread);
                    }
                }
                Selection::FragmentSpread(named) => {
                    let Some(fragment) = self.document.executable.fragments.get(&named.fragment_name) else {
                        continue;
                    };
                    if self.graph.is_a(object, fragment.type_condition())
                        && spread.insert(&named.fragment_name)
                    {
                        self.add(object, &fragment.selection_set, collected, spread);
                    }
                }
            }
        }
    }

    fn is_included(&self, directives: &DirectiveList) -> bool {
        directives.is_empty()
            || (!self.asked(directives, "skip", false) && self.asked(directives, "include", true))
    }

    /// The `if` of a directive.
    fn asked(&self, directives: &DirectiveList, name: &str, absent: bool) -> bool {
        let argument = directives.get(name).and_then(|directive| directive.specified_argument_by_name("if"));
        match argument.map(|value| &**value) {
            Some(Value::Boolean(value)) => *value,
            Some(Value::Variable(name)) => {
                self.variables.get(name.as_str()).and_then(|value| value.as_bool()).unwrap_or(absent)
            }
            _ => absent,
        }
    }
}
