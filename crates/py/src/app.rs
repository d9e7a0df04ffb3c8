//! `App`: a compiled API that can be served, or called in process.

use std::rc::Rc;
use std::sync::Arc;

use plectrum_db::Operation;
use plectrum_db::cursor::{Direction, Signer};
use plectrum_engine::app::{self, Beside, BuildError};
use plectrum_engine::blueprint::{Blueprint, Native as NativeRoute, Route};
use plectrum_engine::endpoint::Endpoint;
use plectrum_engine::extract::Extractor;
use plectrum_engine::feed::{self, Feed};
use plectrum_engine::native::{Native, Parts};
use plectrum_engine::openapi;
use plectrum_engine::variants::Planner;
use plectrum_http::Response;
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;

use crate::chained::Chained;
use crate::client::Client;
use crate::exceptions;
use crate::gate::{Callbacks, PyAuthority};
use crate::graphql::Graphs;
use crate::handler::Handler;
use crate::names;
use crate::operation;
use crate::registered::Registered;
use crate::results;
use crate::server;
use crate::settings::Settings;
use crate::sink::Class;
use crate::websocket::Conversations;
use crate::worker::Worker;

/// An API, compiled (`plectrum.api.Compiled`) and ready to be served.
#[pyclass(frozen, module = "plectrum._core")]
pub(crate) struct App(Arc<Registration>);

/// Everything threads share.
pub(crate) struct Registration {
    pub(crate) settings: Settings,
    blueprint: Blueprint,
    routes: Vec<Arc<Registered>>,
    classes: Arc<[Class]>,
    planners: Vec<Option<Py<PyAny>>>,
    callbacks: Arc<Callbacks>,
    /// `plectrum.asgi.Lifespans`, where applications are mounted that have one.
    pub(crate) lifespan: Option<Py<PyAny>>,
}

#[pymethods]
impl App {
    /// Takes a compiled API and the settings as JSON.
    #[new]
    fn new(compiled: &Bound<'_, PyAny>, settings: &str) -> PyResult<Self> {
        let blueprint: String = compiled.getattr("blueprint")?.extract()?;
        let blueprint =
            serde_json::from_str(&blueprint).map_err(|error| PyValueError::new_err(error.to_string()))?;
        let (mut routes, mut planners) = (Vec::new(), Vec::new());
        for route in compiled.getattr("routes")?.try_iter()? {
            let route = route?;
            routes.push(Arc::new(Registered::extract(&route)?));
            let planner = route.getattr("planner")?;
            planners.push(if planner.is_none() { None } else { Some(planner.unbind()) });
        }
        let classes = compiled.getattr("classes")?.try_iter()?.map(|entry| Class::extract(&entry?));
        let registration = Registration {
            settings: Settings::from_json(settings)?,
            blueprint,
            routes,
            classes: classes.collect::<PyResult<_>>()?,
            planners,
            callbacks: Arc::new(Callbacks::extract(&compiled.getattr("access")?)?),
            lifespan: Some(compiled.getattr("lifespan")?).filter(|found| !found.is_none()).map(Bound::unbind),
        };
        registration.check(compiled.py())?;
        Ok(Self(Arc::new(registration)))
    }

    /// The OpenAPI document as JSON text: of a version, or of the usual one.
    #[pyo3(signature = (version=None))]
    fn openapi(&self, version: Option<&str>) -> String {
        let blueprint = &self.0.blueprint;
        let usual = blueprint.versioning.as_ref().map(|versioning| versioning.default.as_str());
        let throttled = self.0.settings.is_throttled();
        openapi::document(blueprint, openapi::Shown { version: version.or(usual), throttled }).to_string()
    }

    /// Serves until SIGTERM or SIGINT; see `plectrum.supervisor`.
    ///
    /// `listeners` are descriptors of listening sockets; a byte is written to `ready` once requests are accepted.
    #[pyo3(signature = (listeners, ready=None))]
    fn serve(&self, py: Python<'_>, listeners: Vec<i32>, ready: Option<i32>) -> PyResult<()> {
        server::run(py, &self.0, &listeners, ready)
    }

    /// A client that calls the app on the calling thread.
    fn client(&self, py: Python<'_>) -> PyResult<Client> {
        Client::new(py, &self.0)
    }
}

impl Registration {
    /// The app of one worker thread.
    pub(crate) fn build(&self, py: Python<'_>, worker: &Rc<Worker>) -> PyResult<app::App> {
        let mut failure = None;
        let graphs = Graphs::default();
        let observer = self.settings.observe.observer(&self.blueprint, worker)?;
        let beside = Beside {
            authority: Rc::new(PyAuthority::new(Arc::clone(&self.callbacks), Rc::clone(worker))),
            endpoints: self.settings.observe.endpoints(py, observer.as_ref(), worker)?,
            observer,
        };
        let built =
            app::App::build_with(&self.blueprint, &self.settings.app(), beside, |index, route, extractor| {
                self.endpoint(py, worker, &graphs, index, route, extractor).map_err(|error| {
                    let text = error.to_string();
                    failure = Some(error);
                    text
                })
            });
        match (built, failure) {
            (_, Some(error)) => Err(error),
            (Err(error), None) => Err(self.refused(py, &error)?),
            (Ok(app), None) => Ok(app),
        }
    }

    /// The server's configuration: its limit on bodies is that of the most generous route.
    pub(crate) fn http(&self) -> PyResult<plectrum_http::Config> {
        self.settings.http(self.blueprint.routes.iter().filter_map(|route| route.max_body).max().unwrap_or(0))
    }

    /// Refuses routes that could never be served, and a certificate that could not.
    fn check(&self, py: Python<'_>) -> PyResult<()> {
        self.settings.check_certificate(py)?;
        match app::App::check(&self.blueprint, &self.settings.app()) {
            Ok(()) => Ok(()),
            Err(error) => Err(self.refused(py, &error)?),
        }
    }

    /// The user's error: begins with the lines of the handlers it is about.
    fn refused(&self, py: Python<'_>, error: &BuildError) -> PyResult<PyErr> {
        let line = |route: Option<usize>| match route.and_then(|index| self.routes.get(index)) {
            Some(registered) => registered.line(py).map(Some),
            None => Ok(None),
        };
        let mut text = error.reason.clone();
        if let Some(line) = line(error.route)? {
            text = format!("{line}: {text}.");
        }
        if let Some(first) = line(error.other)? {
            text = format!("{text} The other one is at {first}. Give one of them another path or method.");
        }
        Ok(PyErr::from_value(names::CONFIGURATION_ERROR.get(py)?.call1((text,))?))
    }

    fn endpoint(
        &self,
        py: Python<'_>,
        worker: &Rc<Worker>,
        graphs: &Graphs,
        index: usize,
        route: &Route,
        extractor: Extractor,
    ) -> PyResult<Rc<dyn Endpoint>> {
        let registered = self.routes.get(index).filter(|registered| registered.chained).cloned();
        let endpoint = self.unchained(py, worker, graphs, index, route, extractor)?;
        let Some(registered) = registered else { return Ok(endpoint) };
        let chain =
            Handler::new(route, registered, Arc::clone(&self.classes), Extractor::none(), Rc::clone(worker));
        Ok(Rc::new(Chained::new(chain, endpoint)))
    }

    fn unchained(
        &self,
        py: Python<'_>,
        worker: &Rc<Worker>,
        graphs: &Graphs,
        index: usize,
        route: &Route,
        extractor: Extractor,
    ) -> PyResult<Rc<dyn Endpoint>> {
        let missing = || PyValueError::new_err(format!("route {index} has no Python side"));
        if let Some(number) = route.graph {
            let description = self.blueprint.graphs.get(number).ok_or_else(missing)?;
            let planner = self.planners.get(index).and_then(Option::as_ref).ok_or_else(missing)?;
            let shared = (worker, &self.callbacks, &self.settings);
            return graphs.get(py, number, description, planner, shared);
        }
        if let Some(native) = &route.native {
            let planner = self.planners.get(index).and_then(Option::as_ref).ok_or_else(missing)?;
            if let Some(feed) = &route.feed {
                let (database, zones) = worker.databases.get(py, &native.alias, native.foreign)?;
                let operation = operation::of(&planner.bind(py).getattr("base")?)?;
                let parts = feed::Parts { extractor, operation, database, zones };
                return Ok(Rc::new(Feed::new(route, feed, parts)));
            }
            return self.native(py, worker, route, native, planner, extractor);
        }
        let registered = Arc::clone(self.routes.get(index).ok_or_else(missing)?);
        let handler =
            Handler::new(route, registered, Arc::clone(&self.classes), extractor, Rc::clone(worker));
        if let Some(socket) = &route.websocket {
            let (limits, mut origins) = self.settings.websocket();
            origins.extend(socket.origins.iter().cloned());
            return Ok(Rc::new(Conversations::new(handler, limits, origins.into())));
        }
        Ok(Rc::new(handler))
    }

    fn native(
        &self,
        py: Python<'_>,
        worker: &Rc<Worker>,
        route: &Route,
        native: &NativeRoute,
        planner: &Py<PyAny>,
        extractor: Extractor,
    ) -> PyResult<Rc<dyn Endpoint>> {
        let (database, zones) = worker.databases.get(py, &native.alias, native.foreign)?;
        let operation = planner.bind(py).getattr("base")?;
        let planner =
            PyPlanner { planner: planner.clone_ref(py), route: route.name.clone(), debug: worker.debug };
        let parts = Parts {
            extractor,
            operation: operation::of(&operation)?,
            planner: Rc::new(planner),
            database,
            zones,
            signer: self.signer(py, native)?,
        };
        Ok(Rc::new(Native::new(route, native, parts).with_etags(self.settings.etags)))
    }
}

impl Registration {
    /// What signs the cursors of a route that has some.
    fn signer(&self, py: Python<'_>, native: &NativeRoute) -> PyResult<Option<Arc<Signer>>> {
        native.cursor.map(|_| results::signer(py)).transpose()
    }
}

/// `plectrum.native.Planner`, asked for the plans of a route's variations.
struct PyPlanner {
    planner: Py<PyAny>,
    route: String,
    debug: bool,
}

impl Planner for PyPlanner {
    fn plan(
        &self,
        present: &[usize],
        ordering: Option<&str>,
        cursor: Option<Direction>,
    ) -> Result<Arc<Operation>, Box<Response>> {
        let cursor = cursor.map(Direction::name);
        Python::attach(|py| {
            let planned = self.planner.bind(py).call_method1("plan", (present.to_vec(), ordering, cursor));
            planned
                .and_then(|operation| operation::of(&operation))
                .map_err(|error| Box::new(exceptions::respond(py, &error, &self.route, self.debug)))
        })
    }
}
