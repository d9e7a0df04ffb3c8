//! Databases under native endpoints: a fake one that notes what it is asked, and real ones.

use std::cell::RefCell;
use std::rc::Rc;
use std::sync::Arc;

use plectrum_db::cursor::Direction;
use plectrum_db::error::Error;
use plectrum_db::pool::Pool;
use plectrum_db::postgres::Config;
use plectrum_db::sqlite::{self, Sqlite};
use plectrum_db::value::Value;
use plectrum_db::{Context, Operation, Outcome};
use plectrum_engine::app::App;
use plectrum_engine::database::{Database, Execution, Foreign};
use plectrum_engine::native::{Native, Parts, Zones};
use plectrum_engine::variants::Planner;
use plectrum_http::{Response, StatusCode, problem};
use serde_json::{Value as Json, json};

use super::{blueprint, options, route, with};

/// What an execution was asked with: the operation's SQL, its arguments, the request's address.
pub type Asked = (Vec<String>, Vec<Value>, String);

/// Answers executions from a script; notes what it was asked.
#[derive(Default)]
pub struct Fake {
    pub asked: RefCell<Vec<Asked>>,
    pub answers: RefCell<Vec<Result<Outcome, Error>>>,
}

impl Fake {
    pub fn answering(answer: Result<Outcome, Error>) -> Rc<Self> {
        Rc::new(Self { answers: RefCell::new(vec![answer]), ..Self::default() })
    }

    pub fn database(self: &Rc<Self>) -> Database {
        Database::Foreign(self.clone())
    }
}

impl Foreign for Fake {
    fn execute(&self, operation: Arc<Operation>, args: Vec<Value>, context: Context) -> Execution {
        let sql = operation.statements().map(str::to_owned).collect();
        self.asked.borrow_mut().push((sql, args, context.url));
        let answer = self.answers.borrow_mut().pop().unwrap_or_else(|| Ok(Outcome::Found(b"[]".to_vec())));
        Box::pin(async { answer })
    }
}

/// An operation of one statement, each row a list of its columns.
pub fn operation(sql: &str, binds: &[Json], kinds: &[&str]) -> Json {
    let columns: Vec<_> = kinds.iter().map(|kind| json!({"kind": kind})).collect();
    let row: Vec<_> = (0..kinds.len()).map(|column| json!({"column": column})).collect();
    json!({"queries": [{"sql": sql, "binds": binds, "columns": columns, "row": {"array": row}}], "response": {"rows": 0}})
}

/// A native GET route.
pub fn native(path: &str, parameters: Json, operation: &Json, members: Json) -> Json {
    let native = with(json!({"alias": "default", "operation": operation, "ordering": null}), members);
    with(route("GET", path, parameters), json!({"way": "native", "native": native}))
}

/// Plans a variation as SQL that names it; refuses an ordering called `refuse`.
#[derive(Default)]
pub struct Namer {
    pub planned: RefCell<Vec<(Vec<usize>, Option<String>)>>,
}

impl Planner for Namer {
    fn plan(
        &self,
        present: &[usize],
        ordering: Option<&str>,
        _cursor: Option<Direction>,
    ) -> Result<Arc<Operation>, Box<Response>> {
        self.planned.borrow_mut().push((present.to_vec(), ordering.map(str::to_owned)));
        if ordering == Some("refuse") {
            return Err(Box::new(problem::of(StatusCode::IM_A_TEAPOT)));
        }
        let sql = format!("present {present:?} ordering {ordering:?}");
        Ok(Arc::new(Operation::from_json(&operation(&sql, &[], &["int"]).to_string()).unwrap()))
    }
}

/// An app of native routes on one database.
pub fn app(routes: &[Json], database: &Database, planner: &Rc<Namer>) -> App {
    App::build(&blueprint(routes), &options(), |_, route, extractor| {
        let native = route.native.as_ref().unwrap();
        let parts = Parts {
            extractor,
            operation: Arc::new(Operation::from_json(native.operation.get()).unwrap()),
            planner: planner.clone(),
            database: database.clone(),
            zones: Zones::default(),
            signer: None,
        };
        Ok(Rc::new(Native::new(route, native, parts)))
    })
    .unwrap()
}

/// A SQLite database in a file that goes with it.
pub struct File {
    directory: std::path::PathBuf,
}

impl File {
    pub fn new(name: &str, script: &str) -> Self {
        let directory = std::env::temp_dir().join(format!("plectrum-engine-{name}-{}", std::process::id()));
        std::fs::create_dir_all(&directory).unwrap();
        let file = Self { directory };
        rusqlite::Connection::open(file.path()).unwrap().execute_batch(script).unwrap();
        file
    }

    fn path(&self) -> std::path::PathBuf {
        self.directory.join("db.sqlite3")
    }

    pub fn database(&self) -> Database {
        let config = sqlite::Config::new(self.path().to_str().unwrap());
        Database::Sqlite(Rc::new(Sqlite::new(config).unwrap()))
    }
}

impl Drop for File {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.directory);
    }
}

/// The database of `PLECTRUM_TEST_PG`; without it the test is skipped, and says so.
pub fn postgres() -> Option<Database> {
    let Ok(url) = std::env::var("PLECTRUM_TEST_PG") else {
        eprintln!("SKIPPED: set PLECTRUM_TEST_PG to a postgres:// URL to run this test");
        return None;
    };
    Some(Database::Postgres(Pool::new(config(&url)).unwrap()))
}

/// `postgres://user@host:port/database?host=/directory`.
fn config(url: &str) -> Config {
    let (main, query) = url.split_once('?').unwrap_or((url, ""));
    let (authority, database) = main.split_once("://").unwrap().1.split_once('/').unwrap_or_default();
    let (login, place) = authority.rsplit_once('@').unwrap_or(("postgres", authority));
    let (user, password) = login.split_once(':').map_or((login, None), |(user, word)| (user, Some(word)));
    let (host, port) = place.split_once(':').unwrap_or((place, "5432"));
    let directory = query.split('&').find_map(|pair| pair.strip_prefix("host="));
    let host = directory.unwrap_or(if host.is_empty() { "localhost" } else { host });
    let described = json!({
        "hosts": [{"host": host, "port": port.parse::<u16>().unwrap()}],
        "user": user, "password": password, "dbname": database,
    });
    Config::from_json(&described.to_string()).unwrap()
}
