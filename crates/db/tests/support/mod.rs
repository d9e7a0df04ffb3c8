//! What the PostgreSQL tests share: where the database is, a sink that keeps rows, a runtime.
#![allow(dead_code, unreachable_pub, clippy::unwrap_used, clippy::expect_used)]

pub mod server;

use std::future::Future;
use std::rc::Rc;

use plectrum_db::Statement;
use plectrum_db::error::Error;
use plectrum_db::plan::BindType;
use plectrum_db::pool::Pool;
use plectrum_db::postgres::{Config, Host};
use plectrum_db::sink::{Column, RowSink};
use plectrum_db::value::Value;

/// The database of `PLECTRUM_TEST_PG`: a [`Config`] as JSON, or `postgres://user:password@host:port/database?host=/dir`.
pub fn config() -> Option<Config> {
    let Ok(text) = std::env::var("PLECTRUM_TEST_PG") else {
        eprintln!(
            "SKIPPED: set PLECTRUM_TEST_PG to a postgres:// URL or a JSON configuration to run this test"
        );
        return None;
    };
    Some(if text.starts_with('{') {
        Config::from_json(&text).expect("PLECTRUM_TEST_PG")
    } else {
        from_url(&text)
    })
}

fn from_url(url: &str) -> Config {
    let rest = url.split_once("://").expect("PLECTRUM_TEST_PG is a URL").1;
    let (rest, query) = rest.split_once('?').unwrap_or((rest, ""));
    let (authority, database) = rest.split_once('/').unwrap_or((rest, ""));
    let (login, place) = authority.rsplit_once('@').unwrap_or(("", authority));
    let (user, password) = login.split_once(':').map_or((login, None), |(user, word)| (user, Some(word)));
    let (host, port) = place.split_once(':').unwrap_or((place, "5432"));
    let directory = query.split('&').find_map(|pair| pair.strip_prefix("host="));
    let host = directory.unwrap_or(if host.is_empty() { "localhost" } else { host });
    Config {
        hosts: vec![Host { host: host.to_owned(), port: port.parse().expect("port") }],
        user: if user.is_empty() { "postgres" } else { user }.to_owned(),
        password: password.map(str::to_owned),
        dbname: (!database.is_empty()).then(|| database.to_owned()),
        ..Config::default()
    }
}

/// Runs a future as a worker would.
pub fn run<T>(future: impl Future<Output = T>) -> T {
    let mut builder = tokio::runtime::Builder::new_current_thread();
    let runtime = builder.enable_all().build_local(tokio::runtime::LocalOptions::default()).expect("runtime");
    runtime.block_on(future)
}

/// Keeps what it gets.
#[derive(Debug, Default, Clone, PartialEq)]
pub struct Rows {
    pub names: Vec<String>,
    pub oids: Vec<u32>,
    pub cells: Vec<Vec<Option<Vec<u8>>>>,
    pub columns: Option<Rc<[Column]>>,
    pub completed: bool,
    /// Refuse the row with this number.
    pub refuse: Option<usize>,
    /// Whether it can start again.
    pub rewinds: bool,
}

impl RowSink for Rows {
    fn columns(&mut self, columns: &Rc<[Column]>) -> Result<(), Error> {
        self.names = columns.iter().map(|column| column.name.clone()).collect();
        self.oids = columns.iter().map(|column| column.oid).collect();
        self.columns = Some(Rc::clone(columns));
        Ok(())
    }

    fn row(&mut self, cells: &[Option<&[u8]>]) -> Result<(), Error> {
        if self.refuse == Some(self.cells.len()) {
            return Err(Error::Column(0, "refused".to_owned()));
        }
        self.cells.push(cells.iter().map(|cell| cell.map(<[u8]>::to_vec)).collect());
        Ok(())
    }

    fn complete(&mut self) {
        self.completed = true;
    }

    fn rewind(&mut self) -> bool {
        self.cells.clear();
        self.rewinds
    }
}

impl Rows {
    /// A cell as text.
    pub fn text(&self, row: usize, column: usize) -> &str {
        std::str::from_utf8(self.cells[row][column].as_deref().expect("not NULL")).expect("UTF-8")
    }

    /// A cell as `int8`.
    pub fn int8(&self, row: usize, column: usize) -> i64 {
        i64::from_be_bytes(
            self.cells[row][column].as_deref().expect("not NULL").try_into().expect("eight bytes"),
        )
    }

    /// A cell as `int4`.
    pub fn int4(&self, row: usize, column: usize) -> i32 {
        i32::from_be_bytes(
            self.cells[row][column].as_deref().expect("not NULL").try_into().expect("four bytes"),
        )
    }
}

/// Executes SQL without arguments.
pub async fn sql(pool: &Pool, sql: &str) -> Result<Rows, Error> {
    pool.fetch(&Statement::new(sql, &[]), &[], Rows::default()).await
}

/// Executes SQL with arguments.
pub async fn query(pool: &Pool, sql: &str, types: &[BindType], args: &[Value]) -> Result<Rows, Error> {
    pool.fetch(&Statement::new(sql, types), args, Rows::default()).await
}
