//! The plans of one route: one, or one for each combination of its optional parameters and its ordering.

use std::cell::RefCell;
use std::collections::HashMap;
use std::rc::Rc;
use std::sync::Arc;

use plectrum_db::Operation;
use plectrum_db::value::Value;
use plectrum_http::Response;
use smallvec::SmallVec;

use crate::blueprint;
use crate::extract::Slots;

/// Plans of one route kept at most; past that all are forgotten and planned again as they are asked for.
pub const MAX_VARIANTS: usize = 512;

/// Makes the plans of a route's variations. Implemented by the binding.
pub trait Planner {
    /// The operation for the optional parameters at `present` and a value of the ordering parameter.
    ///
    /// # Errors
    /// The answer to give instead; the reason is logged already.
    fn plan(&self, present: &[usize], ordering: Option<&str>) -> Result<Arc<Operation>, Box<Response>>;
}

/// A route's plans.
pub(crate) enum Plans {
    One(Arc<Operation>),
    Many(Variants),
}

pub(crate) struct Variants {
    optional: Vec<usize>,
    ordering: Option<usize>,
    planner: Rc<dyn Planner>,
    known: RefCell<HashMap<Variant, Arc<Operation>>>,
}

#[derive(Debug, Default, PartialEq, Eq, Hash)]
struct Variant {
    /// Indices of the optional parameters that are there, in the route's order.
    present: SmallVec<[usize; 8]>,
    ordering: Option<String>,
}

impl Plans {
    /// `base` is the plan without variations.
    pub(crate) fn new(native: &blueprint::Native, base: Arc<Operation>, planner: Rc<dyn Planner>) -> Self {
        if native.optional.is_empty() && native.ordering.is_none() {
            return Self::One(base);
        }
        Self::Many(Variants {
            optional: native.optional.clone(),
            ordering: native.ordering,
            planner,
            known: RefCell::new(HashMap::from([(Variant::default(), base)])),
        })
    }

    /// The plan for a request's arguments.
    pub(crate) fn choose(&self, slots: &Slots<Value>) -> Result<Arc<Operation>, Box<Response>> {
        match self {
            Self::One(operation) => Ok(Arc::clone(operation)),
            Self::Many(variants) => variants.choose(slots),
        }
    }
}

impl Variants {
    fn choose(&self, slots: &Slots<Value>) -> Result<Arc<Operation>, Box<Response>> {
        let variant = self.variant(slots);
        if let Some(operation) = self.known.borrow().get(&variant) {
            return Ok(Arc::clone(operation));
        }
        let operation = self.planner.plan(&variant.present, variant.ordering.as_deref())?;
        let mut known = self.known.borrow_mut();
        if known.len() >= MAX_VARIANTS {
            known.clear();
        }
        known.insert(variant, Arc::clone(&operation));
        Ok(operation)
    }

    fn variant(&self, slots: &Slots<Value>) -> Variant {
        let is_present = |index: &usize| slots.get(*index).is_some_and(Option::is_some);
        let ordering = match self.ordering.and_then(|index| slots.get(index)) {
            Some(Some(Value::Text(field))) => Some(field.clone()),
            _ => None,
        };
        Variant { present: self.optional.iter().copied().filter(is_present).collect(), ordering }
    }
}
