//! Lists, tuples, and mappings with free keys.

use super::{Input, Invalid, Outcome, View, Walk};
use crate::error::{Error, Step, table::Code};
use crate::json::containers::{check_count, list_type};
use crate::node::{Container, Length, ListNode, Node};
use crate::sink::Sink;
use crate::text;

impl<S: Sink> Walk<'_, S> {
    pub(super) fn list<I: Input<S>>(&mut self, list: &ListNode, input: &I) -> Outcome<S> {
        let view = input.view();
        if view != View::List {
            return Err(self.refuse_type(list_type(list.container), &view));
        }
        let items = input.items();
        // Of too many, those past the end no longer matter.
        let most = list.length.max_length.unwrap_or(usize::MAX).min(items.len());
        let built = self.items(std::iter::repeat_n(&*list.item, most), &items);
        self.counted(list.container, built, list.length, items.len())
    }

    pub(super) fn tuple<I: Input<S>>(&mut self, nodes: &[Node], input: &I) -> Outcome<S> {
        let view = input.view();
        if view != View::List {
            return Err(self.refuse_type(Code::TupleType, &view));
        }
        let items = input.items();
        let length = Length { min_length: Some(nodes.len()), max_length: Some(nodes.len()) };
        let built = self.items(nodes.iter(), &items);
        self.counted(Container::Tuple, built, length, items.len())
    }

    /// The sequence, if its items fit and there are as many as there may be.
    fn counted(
        &mut self,
        container: Container,
        built: Result<Vec<S::Value>, Invalid>,
        length: Length,
        count: usize,
    ) -> Outcome<S> {
        check_count(length, count).map_err(|problem| self.refuse(problem))?;
        Ok(self.sink.list(container, built?.into_iter()))
    }

    /// Each item as its node; errors located by position.
    fn items<'n, I: Input<S>>(
        &mut self,
        nodes: impl Iterator<Item = &'n Node>,
        items: &[I],
    ) -> Result<Vec<S::Value>, Invalid> {
        let mut built = Vec::with_capacity(items.len());
        let mut fits = true;
        for (index, (node, item)) in nodes.zip(items).enumerate() {
            let mark = self.errors.len();
            match self.value(node, item) {
                Ok(value) => built.push(value),
                Err(Invalid) => {
                    self.locate(mark, &Step::Index(index));
                    fits = false;
                }
            }
        }
        if fits { Ok(built) } else { Err(Invalid) }
    }

    pub(super) fn dict<I: Input<S>>(
        &mut self,
        key: &Node,
        value: &Node,
        length: Length,
        input: &I,
    ) -> Outcome<S> {
        let view = input.view();
        if view != View::Object {
            return Err(self.refuse_type(Code::DictType, &view));
        }
        let entries = input.entries();
        let mut built = Vec::with_capacity(entries.len());
        let mut fits = true;
        for (name, inner) in &entries {
            let mark = self.errors.len();
            match (self.key(key, name), self.value(value, inner)) {
                (Ok(key), Ok(value)) => built.push((key, value)),
                _ => {
                    self.locate(mark, &Step::Key(key_text(name).into()));
                    fits = false;
                }
            }
        }
        if !fits {
            return Err(Invalid);
        }
        check_count(length, entries.len()).map_err(|problem| self.refuse(problem))?;
        Ok(self.sink.dict(built))
    }

    /// A key: text is read as JSON's keys are, anything else as a value.
    fn key<I: Input<S>>(&mut self, node: &Node, key: &I) -> Outcome<S> {
        let mark = self.errors.len();
        let read = match (node, key.view()) {
            (Node::Str(_) | Node::Any, _) => self.value(node, key),
            (_, View::Str(text)) => text::value(self.schema, node, text, self.sink)
                .map_err(|errors| errors.into_iter().for_each(|error| self.record(error)))
                .map_err(|()| Invalid),
            _ => self.value(node, key),
        };
        if read.is_err() {
            self.locate(mark, &Step::Key("[key]".into()));
        }
        read
    }

    /// An undeclared member that may not be there.
    #[cold]
    pub(super) fn forbid<I: Input<S>>(&mut self, key: &I) {
        let mut error = Error::from(Code::ExtraForbidden);
        error.loc.push(Step::Key(key_text(key).into()));
        self.record(error);
    }
}

/// A key as a step of a path.
#[cold]
fn key_text<S: Sink, I: Input<S>>(key: &I) -> String {
    match key.view() {
        View::Str(text) => text.to_owned(),
        View::Int(value) => value.to_string(),
        other => format!("[{}]", other.name()),
    }
}
