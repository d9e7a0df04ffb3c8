//! The plans of one route: one, or one for each combination of its optional parameters and its ordering.

use std::cell::RefCell;
use std::collections::HashMap;
use std::rc::Rc;
use std::sync::Arc;

use plectrum_db::Operation;
use plectrum_db::cursor::{self, Direction, Signer};
use plectrum_db::value::Value;
use plectrum_http::Response;
use plectrum_schema::error::{Error, Step};
use smallvec::SmallVec;

use crate::blueprint;
use crate::error;
use crate::extract::{Refusal, Slots};

/// Plans of one route kept at most; past that all are forgotten and planned again as they are asked for.
pub const MAX_VARIANTS: usize = 512;

/// Makes the plans of a route's variations. Implemented by the binding.
pub trait Planner {
    /// The operation for the optional parameters at `present`, a value of the ordering parameter, and which way the
    /// cursor points, if there is one.
    ///
    /// # Errors
    /// The answer to give instead; the reason is logged already.
    fn plan(
        &self,
        present: &[usize],
        ordering: Option<&str>,
        cursor: Option<Direction>,
    ) -> Result<Arc<Operation>, Box<Response>>;
}

/// A route's plans.
pub(crate) enum Plans {
    One(Arc<Operation>),
    Many(Variants),
}

pub(crate) struct Variants {
    optional: Vec<usize>,
    ordering: Option<usize>,
    cursor: Option<usize>,
    cursor_name: String,
    planner: Rc<dyn Planner>,
    known: RefCell<HashMap<Variant, Arc<Operation>>>,
}

#[derive(Debug, Default, PartialEq, Eq, Hash)]
struct Variant {
    /// Indices of the optional parameters that are there, in the route's order.
    present: SmallVec<[usize; 8]>,
    ordering: Option<String>,
    cursor: Option<Direction>,
}

impl Plans {
    /// `base` is the plan without variations.
    pub(crate) fn new(
        route: &blueprint::Route,
        native: &blueprint::Native,
        base: Arc<Operation>,
        planner: Rc<dyn Planner>,
    ) -> Self {
        if native.optional.is_empty() && native.ordering.is_none() && native.cursor.is_none() {
            return Self::One(base);
        }
        Self::Many(Variants {
            optional: native.optional.clone(),
            ordering: native.ordering,
            cursor: native.cursor,
            cursor_name: native
                .cursor
                .and_then(|index| route.parameters.get(index))
                .map_or_else(String::new, |parameter| parameter.wire.clone()),
            planner,
            known: RefCell::new(HashMap::from([(Variant::default(), base)])),
        })
    }

    /// The plan for a request's arguments; `signer` reads its cursor, whose values become further arguments.
    pub(crate) fn choose(
        &self,
        slots: &mut Slots<Value>,
        signer: Option<&Signer>,
    ) -> Result<Arc<Operation>, Box<Response>> {
        match self {
            Self::One(operation) => Ok(Arc::clone(operation)),
            Self::Many(variants) => match variants.cursor_of(slots) {
                None => variants.operation(variants.variant(slots, None)),
                Some(cursor) => variants.continued(&cursor, slots, signer),
            },
        }
    }
}

impl Variants {
    /// The request's cursor.
    fn cursor_of(&self, slots: &Slots<Value>) -> Option<String> {
        match slots.get(self.cursor?) {
            Some(Some(Value::Text(cursor))) => Some(cursor.clone()),
            _ => None,
        }
    }

    /// The plan of the rows that a cursor asks for; its values join the arguments.
    fn continued(
        &self,
        cursor: &str,
        slots: &mut Slots<Value>,
        signer: Option<&Signer>,
    ) -> Result<Arc<Operation>, Box<Response>> {
        let refused = || Box::new(error::of_refusal(&Refusal::Invalid(vec![self.foreign_cursor()])));
        // The first page's plan knows which cursors are this list's, in this order.
        let first = self.operation(self.variant(slots, None))?;
        let (page, kinds) = first.cursor_page().ok_or_else(refused)?;
        let read = signer.and_then(|signer| signer.read(&page.scope, cursor));
        let (direction, values) = read.ok_or_else(refused)?;
        let values = cursor::arguments(&values, &kinds).ok_or_else(refused)?;
        let operation = self.operation(self.variant(slots, Some(direction)))?;
        slots.extend(values.into_iter().map(Some));
        Ok(operation)
    }

    fn foreign_cursor(&self) -> Error {
        let mut error = Error::new("cursor", "The cursor is not one of this list in this order");
        error.loc = vec![Step::key("query"), Step::key(&self.cursor_name)];
        error
    }

    fn operation(&self, variant: Variant) -> Result<Arc<Operation>, Box<Response>> {
        if let Some(operation) = self.known.borrow().get(&variant) {
            return Ok(Arc::clone(operation));
        }
        let operation = self.planner.plan(&variant.present, variant.ordering.as_deref(), variant.cursor)?;
        let mut known = self.known.borrow_mut();
        if known.len() >= MAX_VARIANTS {
            known.clear();
        }
        known.insert(variant, Arc::clone(&operation));
        Ok(operation)
    }

    fn variant(&self, slots: &Slots<Value>, cursor: Option<Direction>) -> Variant {
        let is_present = |index: &usize| slots.get(*index).is_some_and(Option::is_some);
        let ordering = match self.ordering.and_then(|index| slots.get(index)) {
            Some(Some(Value::Text(field))) => Some(field.clone()),
            _ => None,
        };
        Variant { present: self.optional.iter().copied().filter(is_present).collect(), ordering, cursor }
    }
}
