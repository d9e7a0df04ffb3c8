//! SQL and where its arguments come from, independent of the engine that runs it.

use std::borrow::Cow;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::error::Error;
use crate::plan::{Bind, BindType, Source};
use crate::plan_error::PlanError;
use crate::value::Value;

/// A statement as backends see it.
#[derive(Debug)]
pub struct Statement {
    id: u64,
    sql: String,
    types: Box<[BindType]>,
    /// As `types`, with the type of each key where a list of keys is bound.
    item_types: Box<[BindType]>,
    sources: Box<[Origin]>,
    /// The placeholders are the first arguments, in order: nothing to rearrange.
    in_order: bool,
}

/// Where a placeholder's value comes from.
#[derive(Debug)]
enum Origin {
    Arg(usize),
    Keys,
    Const(Value),
}

impl Statement {
    /// SQL whose placeholders are the arguments in order, declared with these types.
    #[must_use]
    pub fn new(sql: impl Into<String>, types: &[BindType]) -> Self {
        Self {
            id: next_id(),
            sql: sql.into(),
            types: types.into(),
            item_types: types.into(),
            sources: (0..types.len()).map(Origin::Arg).collect(),
            in_order: true,
        }
    }

    /// `keys` is the type of the parent's keys.
    pub(crate) fn compile(sql: &str, binds: &[Bind], keys: BindType) -> Result<Self, PlanError> {
        let sources: Box<[Origin]> = binds.iter().map(Origin::compile).collect::<Result<_, _>>()?;
        let in_order = sources
            .iter()
            .enumerate()
            .all(|(index, origin)| matches!(origin, Origin::Arg(arg) if *arg == index));
        Ok(Self {
            id: next_id(),
            sql: sql.to_owned(),
            types: binds.iter().map(Bind::declared).collect(),
            item_types: binds.iter().map(|bind| bind.item_type(keys)).collect(),
            sources,
            in_order,
        })
    }

    /// Unlike every other statement's in this process: what backends file their prepared form under.
    #[must_use]
    pub fn id(&self) -> u64 {
        self.id
    }

    /// The SQL.
    #[must_use]
    pub fn sql(&self) -> &str {
        &self.sql
    }

    /// Declared types of the placeholders. The type of a list of keys is left to the server.
    #[must_use]
    pub fn types(&self) -> &[BindType] {
        &self.types
    }

    /// What each placeholder holds, and each item of a list of keys: for engines that store values in a form of
    /// Django's.
    #[must_use]
    pub fn item_types(&self) -> &[BindType] {
        &self.item_types
    }

    /// Whether executing it twice does no harm, so that it may be executed again when its connection breaks before the
    /// first row. A query is; one that calls a function with side effects is taken for harmless, too.
    #[must_use]
    pub fn is_repeatable(&self) -> bool {
        let sql = self.sql.trim_start_matches(|c: char| c == '(' || c.is_ascii_whitespace());
        sql.get(..6).is_some_and(|verb| verb.eq_ignore_ascii_case("select"))
    }

    /// How many placeholders take the parent's keys.
    pub(crate) fn key_binds(&self) -> usize {
        self.sources.iter().filter(|origin| matches!(origin, Origin::Keys)).count()
    }

    /// One more than the highest argument used.
    pub(crate) fn arity(&self) -> usize {
        let used = self.sources.iter().map(|origin| if let Origin::Arg(arg) = origin { arg + 1 } else { 0 });
        used.max().unwrap_or(0)
    }

    /// The placeholders' values in order.
    ///
    /// # Errors
    /// [`Error::Bind`] where the execution has too few arguments.
    pub(crate) fn bind<'a>(
        &self,
        args: &'a [Value],
        keys: Option<&Value>,
    ) -> Result<Cow<'a, [Value]>, Error> {
        if self.in_order {
            let args = args.get(..self.sources.len()).ok_or_else(|| missing(args.len()))?;
            return Ok(Cow::Borrowed(args));
        }
        let value = |origin: &Origin| match origin {
            Origin::Arg(arg) => args.get(*arg).cloned().ok_or_else(|| missing(*arg)),
            Origin::Keys => Ok(keys.cloned().unwrap_or(Value::Null)),
            Origin::Const(value) => Ok(value.clone()),
        };
        self.sources.iter().map(value).collect::<Result<Vec<_>, _>>().map(Cow::Owned)
    }
}

fn next_id() -> u64 {
    static NEXT: AtomicU64 = AtomicU64::new(0);
    NEXT.fetch_add(1, Ordering::Relaxed)
}

fn missing(arg: usize) -> Error {
    Error::Bind(arg, "the execution has no such argument".to_owned())
}

impl Bind {
    fn declared(&self) -> BindType {
        match self.source {
            Source::Keys(_) => BindType::Infer,
            _ => self.kind,
        }
    }

    fn item_type(&self, keys: BindType) -> BindType {
        match (&self.source, self.kind) {
            (Source::Keys(_), BindType::Infer) => keys,
            _ => self.kind,
        }
    }
}

impl Origin {
    fn compile(bind: &Bind) -> Result<Self, PlanError> {
        Ok(match &bind.source {
            Source::Arg(index) => Self::Arg(*index),
            Source::Keys(_) => Self::Keys,
            Source::Const(json) if bind.kind == BindType::Json => Self::Const(Value::Text(json.to_string())),
            Source::Const(json) => Self::Const(constant(json)?),
        })
    }
}

fn constant(json: &serde_json::Value) -> Result<Value, PlanError> {
    Ok(match json {
        serde_json::Value::Null => Value::Null,
        serde_json::Value::Bool(value) => Value::Bool(*value),
        serde_json::Value::Number(number) => number_constant(number),
        serde_json::Value::String(text) => Value::Text(text.clone()),
        serde_json::Value::Array(items) => {
            Value::Array(items.iter().map(constant).collect::<Result<_, _>>()?)
        }
        serde_json::Value::Object(_) => {
            return Err(PlanError::new("binds", "a constant object needs the type `json`"));
        }
    })
}

fn number_constant(number: &serde_json::Number) -> Value {
    let text = number.to_string();
    if text.bytes().any(|byte| matches!(byte, b'.' | b'e' | b'E')) {
        return text.parse().map_or(Value::Text(text), Value::Float);
    }
    text.parse().map_or(Value::Text(text), Value::Int)
}
