//! Document, operation, variables → root fields with their plans.

use std::cell::{OnceCell, RefCell};
use std::collections::HashSet;
use std::rc::Rc;

use plectrum_graphql::introspect::Introspected;
use plectrum_graphql::partial::{Answers, Known as Marked, Settled, Source, settle};
use plectrum_graphql::{
    Cache, Document, Error, Graph, Limits, Lowered, OperationType, Root, RootField, Variables, lower,
    variables,
};

use super::plans::{Kind, Plan, Planner};
use super::request::Parameters;

/// Bytes of documents, and of shapes, that are kept.
const KEPT: usize = 8 << 20;

/// Everything that turns requests into plans.
pub(super) struct Preparer {
    graph: Graph,
    limits: Limits,
    planner: Box<dyn Planner>,
    /// Fields of `Query` that functions answer.
    functions: HashSet<String>,
    documents: RefCell<Cache<Known>>,
    plans: RefCell<Cache<Plan>>,
}

/// A document, and what every request of it is, where it has but one operation and no variables.
struct Known {
    document: Rc<Document>,
    prepared: OnceCell<Rc<Prepared>>,
}

/// An operation ready to be run.
pub(super) struct Prepared {
    document: Rc<Document>,
    /// Name of the operation, where the request gives one.
    operation: Option<String>,
    variables: Variables,
    pub(super) lowered: Lowered,
    /// One for each root field; none where it is answered without statements.
    pub(super) plans: Vec<Option<Result<Rc<Plan>, Error>>>,
    pub(super) introspected: Option<Introspected>,
    /// What it is; only a query's fields have plans beforehand.
    pub(super) kind: Kind,
    /// Whether functions answer some of its fields.
    pub(super) calls: bool,
}

impl Preparer {
    pub(super) fn new(
        graph: Graph,
        limits: Limits,
        planner: Box<dyn Planner>,
        functions: &[String],
        kept: usize,
    ) -> Self {
        let documents = RefCell::new(Cache::new(kept, KEPT));
        let plans = RefCell::new(Cache::new(kept, KEPT));
        let functions = functions.iter().cloned().collect();
        Self { graph, limits, planner, functions, documents, plans }
    }

    /// Whether there is anything to subscribe to.
    pub(super) fn has_subscriptions(&self) -> bool {
        self.graph.has_subscriptions()
    }

    /// Whether there is anything to send a file to.
    pub(super) fn has_uploads(&self) -> bool {
        self.graph.has_uploads()
    }

    /// Prepares a request.
    ///
    /// # Errors
    /// Why it is not executed at all.
    pub(super) fn prepare(&self, parameters: &mut Parameters) -> Result<Rc<Prepared>, Vec<Error>> {
        let text = parameters.query.as_deref().unwrap_or_default();
        let known = self.document(text)?;
        if let Some(prepared) = known.prepared.get().filter(|_| parameters.operation.is_none()) {
            return Ok(Rc::clone(prepared));
        }
        let (document, one) = (&*known.document, |error| vec![error]);
        let operation = document.operation(parameters.operation.as_deref()).map_err(one)?;
        let kind = match operation.operation_type {
            OperationType::Query => Kind::Query,
            OperationType::Mutation => Kind::Mutation,
            OperationType::Subscription => Kind::Subscription,
        };
        let given = parameters.take_variables();
        let variables = variables::coerce(&self.graph, document, operation, given).map_err(one)?;
        let lowered = lower(&self.graph, document, operation, &variables, &self.limits).map_err(one)?;
        let introspected =
            lowered.introspects.then(|| Introspected::execute(&self.graph, document, operation, &variables));
        let plans: Vec<_> = lowered.roots.iter().map(|root| self.plan(root, kind)).collect();
        let unplanned = |(root, plan): (&Root, &Option<_>)| matches!(root, Root::Field(_)) && plan.is_none();
        let calls = lowered.roots.iter().zip(&plans).any(unplanned);
        let prepared = Rc::new(Prepared {
            document: Rc::clone(&known.document),
            operation: parameters.operation.take(),
            variables,
            lowered,
            plans,
            introspected,
            kind,
            calls,
        });
        if operation.variables.is_empty() && document.has_one_operation() && prepared.is_whole() {
            // A second preparation of the same document cannot run in between: nothing here suspends.
            let _ = known.prepared.set(Rc::clone(&prepared));
        }
        Ok(prepared)
    }

    fn document(&self, text: &str) -> Result<Rc<Known>, Vec<Error>> {
        if let Some(known) = self.documents.borrow_mut().get(text.as_bytes()) {
            return Ok(known);
        }
        let document = Document::compile(&self.graph, text, &self.limits)?;
        let known = Known { document: Rc::new(document), prepared: OnceCell::new() };
        Ok(self.documents.borrow_mut().insert(text.as_bytes(), known))
    }

    fn plan(&self, root: &Root, kind: Kind) -> Option<Result<Rc<Plan>, Error>> {
        let Root::Field(field) = root else { return None };
        match &field.error {
            Some(error) => Some(Err(error.clone())),
            None if kind != Kind::Query || self.functions.contains(&field.name) => None,
            None => Some(self.planned(field)),
        }
    }

    /// The plan of a root field's shape.
    ///
    /// # Errors
    /// Why there is none.
    pub(super) fn planned(&self, field: &RootField) -> Result<Rc<Plan>, Error> {
        if let Some(plan) = self.plans.borrow_mut().get(&field.shape) {
            return Ok(plan);
        }
        let shape = String::from_utf8_lossy(&field.shape);
        match self.planner.plan(&shape) {
            Ok(plan) => Ok(self.plans.borrow_mut().insert(&field.shape, plan)),
            Err(refusal) => Err(refusal.into()),
        }
    }

    /// The value of a root field without marks (see `plectrum_db::mark`).
    pub(super) fn settle(
        &self,
        prepared: &Prepared,
        field: &RootField,
        failures: &[Error],
        answers: &Answers,
        text: &[u8],
    ) -> Settled {
        let Ok(operation) = prepared.document.operation(prepared.operation.as_deref()) else {
            return Settled::default();
        };
        let source = Source {
            graph: &self.graph,
            document: &prepared.document,
            operation,
            variables: &prepared.variables,
        };
        let marked = Marked { refusals: &field.refusals, failures, answers };
        settle(source, &field.key, marked, text)
    }

    /// Who plans and writes.
    pub(super) fn planner(&self) -> &dyn Planner {
        &*self.planner
    }
}

impl Prepared {
    /// An error of a root field as a whole.
    pub(super) fn located(&self, field: &RootField, error: Error) -> Error {
        error.at(&field.key, &self.document.places(&field.spans))
    }

    /// Whether every root field has its plan.
    fn is_whole(&self) -> bool {
        self.plans.iter().flatten().all(Result::is_ok)
    }
}
