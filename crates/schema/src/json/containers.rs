//! Arrays, and objects with free keys.

use super::walk::{Outcome, Stop, Walk};
use crate::error::{Error, Problem, Step, table::Code};
use crate::node::{Container, Length, ListNode, Node};
use crate::sink::Sink;
use crate::text;
use jiter::Peek;

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
    /// An array whose items are read by `item`, each told its position.
    pub(super) fn items(
        &mut self,
        peek: Peek,
        mut item: impl FnMut(&mut Self, Peek, usize) -> Outcome<S>,
    ) -> Result<Vec<S::Value>, Stop> {
        debug_assert!(peek == Peek::Array);
        self.enter()?;
        let mut items = Vec::new();
        let mut fits = true;
        let mut index = 0;
        let mut next = self.reader.known_array();
        loop {
            let peek = match next {
                Ok(Some(peek)) => peek,
                Ok(None) => break,
                Err(error) => return Err(self.syntax(&error)),
            };
            let mark = self.errors.len();
            match item(self, peek, index) {
                Ok(value) => items.push(value),
                Err(Stop::Invalid) => {
                    self.locate(mark, &Step::Index(index));
                    fits = false;
                }
                Err(Stop::Fatal) => return Err(Stop::Fatal),
            }
            index += 1;
            next = self.reader.array_step();
        }
        self.leave();
        if fits { Ok(items) } else { Err(Stop::Invalid) }
    }

    /// A homogeneous sequence.
    pub(super) fn list(&mut self, list: &ListNode, peek: Peek) -> Outcome<S> {
        if peek != Peek::Array {
            return self.refuse(peek, list_type(list.container));
        }
        let most = list.length.max_length.unwrap_or(usize::MAX);
        let mut count = 0;
        let items = self.items(peek, |walk, peek, index| {
            count = index + 1;
            if index < most {
                return walk.value(&list.item, peek);
            }
            // Too many: told once, at the end; what they hold no longer matters.
            walk.skip(peek)?;
            Err(Stop::Invalid)
        });
        if matches!(items, Err(Stop::Fatal)) {
            return Err(Stop::Fatal);
        }
        check_count(list.length, count).map_err(|problem| self.invalid(problem))?;
        Ok(self.sink.list(list.container, items?))
    }

    /// A sequence of fixed length.
    pub(super) fn tuple(&mut self, nodes: &[Node], peek: Peek) -> Outcome<S> {
        if peek != Peek::Array {
            return self.refuse(peek, Code::TupleType);
        }
        let mut count = 0;
        let items = self.items(peek, |walk, peek, index| {
            count = index + 1;
            match nodes.get(index) {
                Some(node) => walk.value(node, peek),
                None => {
                    walk.skip(peek)?;
                    Err(Stop::Invalid)
                }
            }
        });
        if matches!(items, Err(Stop::Fatal)) {
            return Err(Stop::Fatal);
        }
        let length = Length { min_length: Some(nodes.len()), max_length: Some(nodes.len()) };
        check_count(length, count).map_err(|problem| self.invalid(problem))?;
        Ok(self.sink.list(Container::Tuple, items?))
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
        let mut start = self.reader.current_index();
        let mut next = self.reader.known_object();
        loop {
            let built = match next {
                Ok(Some(name)) => key(self.sink, name),
                Ok(None) => break,
                Err(error) => return Err(self.syntax(&error)),
            };
            let raw_name = self.reader.slice_to_current(start);
            let mark = self.errors.len();
            let key = built.map_err(|errors| self.refuse_key(errors));
            let peek = self.peek()?;
            match (key, value(self, peek)) {
                (_, Err(Stop::Fatal)) => return Err(Stop::Fatal),
                (Ok(key), Ok(value)) => entries.push((key, value)),
                _ => {
                    self.locate(mark, &Step::Key(name_of(raw_name).into()));
                    fits = false;
                }
            }
            start = self.reader.current_index();
            next = self.reader.next_key();
        }
        self.leave();
        if fits { Ok(entries) } else { Err(Stop::Invalid) }
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

/// The name of a member from its raw JSON, which may begin before it: read again only where an error needs it.
#[cold]
pub(super) fn name_of(raw: &[u8]) -> String {
    let quoted = raw.iter().position(|&byte| byte == b'"').and_then(|at| raw.get(at..)).unwrap_or_default();
    jiter::Jiter::new(quoted).next_str().unwrap_or_default().to_owned()
}
