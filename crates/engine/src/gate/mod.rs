//! Gates: what stands before a route, and is passed before its body is read and before Python is entered.
//!
//! * [`spec`] is what the binding hands over; [`Gates`] compiles it at start-up;
//! * [`visit`] is one request passing: limits by address, then [`scheme`]s, the [`guard`], limits by user;
//! * [`jwt`], [`api_key`] and [`credentials`] tell who it is: an [`identity`];
//! * [`describe`] tells OpenAPI; [`throttle`] counts requests; [`authority`] is asked for what only the binding knows.

mod api_key;
pub mod authority;
mod credentials;
pub(crate) mod describe;
mod guard;
pub mod identity;
pub mod jwt;
mod refusal;
mod scheme;
pub mod spec;
pub mod throttle;
mod visit;

use std::future::Future;
use std::pin::Pin;
use std::rc::Rc;

use plectrum_http::{HeaderName, Response, StatusCode, header, problem};

use crate::endpoint::Call;
use authority::{Asking, Authority, Question, Told};
use scheme::Scheme;
use spec::Guard;
use throttle::{Counter, Limits, Quota};
use visit::Visit;

/// What all gates of an app share.
pub struct Gates {
    schemes: Vec<Scheme>,
    authority: Rc<dyn Authority>,
    counter: Rc<Counter>,
    usual: Vec<spec::Limit>,
    max_body: usize,
}

/// What stands before one route.
pub struct Gate {
    shared: Rc<Gates>,
    schemes: Vec<usize>,
    guard: Guard,
    /// Counted before anybody is asked who they are.
    early: Limits,
    /// Counted by who it is.
    late: Limits,
}

/// A request under way through a gate.
pub type Pending = Pin<Box<dyn Future<Output = Result<(Box<Call>, Option<Quota>), Response>>>>;

/// What became of a request at a gate.
pub enum Pass {
    /// It may go on.
    Open(Box<Call>, Option<Quota>),
    /// It may not.
    Refused(Response),
    /// Being found out.
    Pending(Pending),
}

impl Gates {
    /// Compiles what gates share. `max_body`: bytes that may be read where a CSRF token is in the body.
    ///
    /// # Errors
    /// A sentence for the user.
    pub fn compile(
        security: spec::Security,
        authority: Rc<dyn Authority>,
        throttle: &throttle::Options,
        max_body: usize,
    ) -> Result<Self, String> {
        let (counter, usual) = (Rc::new(Counter::new(throttle)?), throttle.usual.clone());
        let schemes = security.schemes.into_iter().map(Scheme::compile).collect::<Result<_, _>>()?;
        Ok(Self { schemes, authority, counter, usual, max_body })
    }

    /// Compiles the gate of one route.
    ///
    /// # Errors
    /// A sentence for the user.
    pub fn gate(self: &Rc<Self>, spec: &spec::Gate) -> Result<Gate, String> {
        if let Some(unknown) = spec.schemes.iter().find(|number| **number >= self.schemes.len()) {
            return Err(format!("there is no authentication scheme number {unknown}"));
        }
        let (late, early): (Vec<_>, Vec<_>) = spec
            .limits
            .as_ref()
            .unwrap_or(&self.usual)
            .iter()
            .cloned()
            .partition(|limit| throttle::is_by_identity(&limit.per));
        Ok(Gate {
            shared: Rc::clone(self),
            schemes: spec.schemes.clone(),
            guard: spec.guard.clone().unwrap_or(Guard::Anyone),
            early: Limits::compile(&early)?,
            late: Limits::compile(&late)?,
        })
    }

    fn scheme(&self, number: usize) -> Option<&Scheme> {
        self.schemes.get(number)
    }
}

impl Gate {
    /// Whether it stops nobody and asks nothing.
    #[must_use]
    pub fn is_open(&self) -> bool {
        self.schemes.is_empty()
            && self.guard == Guard::Anyone
            && self.early.is_empty()
            && self.late.is_empty()
    }

    /// Headers that its schemes read.
    pub(crate) fn credential_headers(&self) -> impl Iterator<Item = HeaderName> {
        let keys = self.schemes.iter().filter_map(|number| self.shared.scheme(*number)?.header());
        std::iter::once(header::AUTHORIZATION).chain(keys)
    }

    /// Lets a request pass, or not.
    pub fn pass(self: &Rc<Self>, call: Box<Call>) -> Pass {
        match self.early.count(&self.shared.counter, &call.request) {
            Some(Err(response)) => Pass::Refused(*response),
            Some(Ok(quota)) if self.only_counts() => Pass::Open(call, quota),
            Some(Ok(quota)) => Visit::counted_early(Rc::clone(self), call, quota).run(),
            None => Visit::new(Rc::clone(self), call).run(),
        }
    }

    /// Whether nobody is asked who they are.
    fn only_counts(&self) -> bool {
        self.schemes.is_empty() && self.guard == Guard::Anyone && self.late.is_empty()
    }
}

/// Stands in for the binding where an app is only checked.
pub struct Nobody;

impl Authority for Nobody {
    fn ask(&self, _callback: usize, _question: Question) -> Asking {
        Asking::Told(Told::Failed(Box::new(problem::of(StatusCode::SERVICE_UNAVAILABLE))))
    }
}
