//! Arrays, and objects with free keys.

use super::walk::{Outcome, Stop, Walk};
use crate::error::{Error, Problem, Step, table::Code};
use crate::node::{Container, Length, ListNode, Node};
use crate::sink::Sink;
use crate::text;
use plectrum_json::read::{Broken, Peek, Reader};

/// Whether `count` items are within `length`.
pub(crate) fn check_count(length: Length, count: usize) -> Result<(), Problem> {
    if let Some(min) = length.min_length.filter(|&min| count < min) {
        return Err(Problem::from(Code::TooShort).with("min_length", min).with("actual_length", count));
    }
    if let Some(max) = length.max_length.filter(|&max| count > max) {
        return Err(Problem::from(Code::TooLong).with("max_length", max).with("actual_length", count));
    }
    Ok(())
}

/// The error of a sequence that came as another type.
pub(crate) fn list_type(container: Container) -> Code {
    match container {
        Container::List => Code::ListType,
        Container::Set => Code::SetType,
        Container::FrozenSet => Code::FrozenSetType,
        Container::Tuple => Code::TupleType,
    }
}

/// Keys and values of an object, in order.
type Entries<S> = Vec<(<S as Sink>::Value, <S as Sink>::Value)>;

impl<S: Sink> Walk<'_, '_, S> {
    /// An array whose items are read by `item`, each told its position; how many there were. The values of those that
    /// fit are on top of `items`.
    fn items(&mut self, mut item: impl FnMut(&mut Self, Peek, usize) -> Outcome<S>) -> Result<usize, Stop> {
        self.enter()?;
        let mut index = 0;
        let mut next = self.read(Reader::first_item)?;
        while let Some(peek) = next {
            let mark = self.errors.len();
            match item(self, peek, index) {
                Ok(value) => self.items.push(value),
                Err(Stop) => {
                    self.go_on()?;
                    self.locate(mark, &Step::Index(index));
                }
            }
            index += 1;
            next = self.read(Reader::next_item)?;
        }
        self.leave();
        Ok(index)
    }

    /// The sequence of the items on the stack from `base` on, if all `count` of them fitted.
    fn collect(&mut self, container: Container, base: usize, count: usize, length: Length) -> Outcome<S> {
        let counted = check_count(length, count);
        if counted.is_ok() && self.items.len() - base == count {
            return Ok(self.sink.list(container, self.items.drain(base..)));
        }
        self.items.truncate(base);
        Err(counted.map_or_else(|problem| self.invalid(problem), |()| Stop))
    }

    /// A homogeneous sequence.
    pub(super) fn list(&mut self, list: &ListNode, peek: Peek) -> Outcome<S> {
        if peek != Peek::Array {
            return self.refuse(peek, list_type(list.container));
        }
        let most = list.length.max_length.unwrap_or(usize::MAX);
        let base = self.items.len();
        let count = self.items(|walk, peek, index| {
            if index < most {
                return walk.value(&list.item, peek);
            }
            // Too many: told once, at the end; what they hold no longer matters.
            walk.skip(peek)?;
            Err(Stop)
        })?;
        self.collect(list.container, base, count, list.length)
    }

    /// A sequence of fixed length.
    pub(super) fn tuple(&mut self, nodes: &[Node], peek: Peek) -> Outcome<S> {
        if peek != Peek::Array {
            return self.refuse(peek, Code::TupleType);
        }
        let base = self.items.len();
        let count = self.items(|walk, peek, index| match nodes.get(index) {
            Some(node) => walk.value(node, peek),
            None => {
                walk.skip(peek)?;
                Err(Stop)
            }
        })?;
        let length = Length { min_length: Some(nodes.len()), max_length: Some(nodes.len()) };
        self.collect(Container::Tuple, base, count, length)
    }

    /// An array of anything.
    pub(super) fn any_list(&mut self) -> Outcome<S> {
        let base = self.items.len();
        let count = self.items(|walk, peek, _| walk.any(peek))?;
        self.collect(Container::List, base, count, Length::default())
    }

    /// An object with free keys.
    pub(super) fn dict(&mut self, key: &Node, value: &Node, length: Length, peek: Peek) -> Outcome<S> {
        if peek != Peek::Object {
            return self.refuse(peek, Code::DictType);
        }
        let schema = self.schema;
        let entries = self.entries(
            |sink, text| text::value(schema, key, text, sink),
            |walk, peek| walk.value(value, peek),
        )?;
        check_count(length, entries.len()).map_err(|problem| self.invalid(problem))?;
        Ok(self.sink.dict(entries))
    }

    /// The entries of an object: keys made by `key`, values read by `value`.
    pub(super) fn entries(
        &mut self,
        key: impl Fn(&mut S, &str) -> Result<S::Value, Vec<Error>>,
        mut value: impl FnMut(&mut Self, Peek) -> Outcome<S>,
    ) -> Result<Entries<S>, Stop> {
        self.enter()?;
        let mut entries = Vec::new();
        let mut fits = true;
        let mut more = self.read(Reader::first_member)?;
        while more {
            let start = self.reader.at();
            let built = match self.reader.key() {
                Ok(name) => key(self.sink, name),
                Err(Broken) => return Err(self.syntax()),
            };
            let raw_name = self.reader.since(start);
            let mark = self.errors.len();
            let key = built.map_err(|errors| self.refuse_key(errors));
            let peek = self.peek()?;
            match (key, value(self, peek)) {
                (Ok(key), Ok(value)) => entries.push((key, value)),
                _ => {
                    self.go_on()?;
                    self.locate(mark, &Step::Key(name_of(raw_name).into()));
                    fits = false;
                }
            }
            more = self.read(Reader::next_member)?;
        }
        self.leave();
        if fits { Ok(entries) } else { Err(Stop) }
    }

    /// Records what is wrong with a key, told apart from its value by a step of its own, as pydantic does.
    #[cold]
    fn refuse_key(&mut self, errors: Vec<Error>) {
        for mut error in errors {
            error.loc.push(Step::Key("[key]".into()));
            self.record(error);
        }
    }
}

/// The name of a member from its raw JSON: read again only where an error needs it.
#[cold]
pub(super) fn name_of(raw: &[u8]) -> String {
    Reader::new(raw).text().unwrap_or_default().to_owned()
}
