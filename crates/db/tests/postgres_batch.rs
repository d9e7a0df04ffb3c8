//! Statements of one execution that travel together share a Sync: one transaction, one answer.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod support;

use futures_util::future::{join, join_all};
use plectrum_db::Statement;
use plectrum_db::error::Error;
use plectrum_db::plan::BindType;
use plectrum_db::pool::{Lease, Pool};
use plectrum_db::postgres::Config;
use plectrum_db::value::Value;
use support::{Rows, config, query, run, sql};

/// A transaction's time is the same for all of its statements.
const STARTED: &str = "SELECT now()::text, $1::int8";
const DIVISION: &str = "SELECT 10 / $1";

/// With one connection on which the statements are prepared: those that are not yet travel alone.
fn prepared(statements: &[&str], test: impl AsyncFn(&Pool, &[Statement])) {
    let Some(config) = config() else { return };
    let statements: Vec<_> = statements.iter().map(|sql| Statement::new(*sql, &[BindType::Int])).collect();
    run(async {
        let pool = Pool::new(Config { max_connections: 1, ..config }).unwrap();
        for statement in &statements {
            pool.fetch(statement, &[Value::Int(1)], Rows::default()).await.unwrap();
        }
        test(&pool, &statements).await;
    });
}

async fn send(lease: &Lease, statement: &Statement, arg: i64) -> Result<Rows, Error> {
    lease.send(statement, &[Value::Int(arg)], Rows::default()).await
}

fn code(result: Result<Rows, Error>) -> String {
    match result {
        Err(Error::Server { code, .. }) => code,
        other => panic!("{other:?}"),
    }
}

#[test]
fn statements_of_one_execution_are_one_transaction() {
    prepared(&[STARTED], async |pool, statements| {
        let (lease, other) = (pool.lease().await.unwrap(), pool.lease().await.unwrap());
        let sent = [(&lease, 1), (&lease, 2), (&lease, 3), (&other, 4), (&other, 5)];
        let rows = join_all(sent.map(|(lease, arg)| send(lease, &statements[0], arg))).await;
        let rows: Vec<_> = rows.into_iter().map(Result::unwrap).collect();
        assert!(rows.iter().all(|rows| rows.completed));
        assert_eq!(rows.iter().map(|rows| rows.int8(0, 1)).collect::<Vec<_>>(), [1, 2, 3, 4, 5]);
        let times: Vec<_> = rows.iter().map(|rows| rows.text(0, 0)).collect();
        assert_eq!((times[0], times[0]), (times[1], times[2]));
        assert_eq!(times[3], times[4]);
        assert_ne!(times[0], times[3], "another execution has a transaction of its own");
    });
}

#[test]
fn statements_that_follow_an_answer_are_another_transaction() {
    prepared(&[STARTED], async |pool, statements| {
        let lease = pool.lease().await.unwrap();
        let first = send(&lease, &statements[0], 1).await.unwrap();
        let second = send(&lease, &statements[0], 2).await.unwrap();
        assert_ne!(first.text(0, 0), second.text(0, 0));
    });
}

#[test]
fn a_failing_statement_does_not_fail_those_behind_it() {
    prepared(&[STARTED, DIVISION], async |pool, statements| {
        let lease = pool.lease().await.unwrap();
        let [started, division] = statements else { panic!() };
        // Skipped by the server, the others are sent again by themselves.
        let sent = [(division, 0), (started, 2), (division, 5), (division, 0), (started, 3)];
        let mut rows = join_all(sent.map(|(statement, arg)| send(&lease, statement, arg))).await.into_iter();
        assert_eq!(code(rows.next().unwrap()), "22012");
        assert_eq!(rows.next().unwrap().unwrap().int8(0, 1), 2);
        assert_eq!(rows.next().unwrap().unwrap().int8(0, 0), 2);
        assert_eq!(code(rows.next().unwrap()), "22012");
        assert_eq!(rows.next().unwrap().unwrap().int8(0, 1), 3);
        assert_eq!(sql(pool, "SELECT 1::int8").await.unwrap().int8(0, 0), 1);
    });
}

#[test]
fn a_failing_statement_leaves_those_before_it_their_rows() {
    prepared(&[STARTED, DIVISION], async |pool, statements| {
        let lease = pool.lease().await.unwrap();
        let (first, second) = join(send(&lease, &statements[0], 1), send(&lease, &statements[1], 0)).await;
        assert_eq!(first.unwrap().int8(0, 1), 1);
        assert_eq!(code(second), "22012");
        assert_eq!(send(&lease, &statements[1], 2).await.unwrap().int8(0, 0), 5);
    });
}

#[test]
fn arguments_that_do_not_fit_leave_the_statement_before_them_its_sync() {
    prepared(&[STARTED], async |pool, statements| {
        let lease = pool.lease().await.unwrap();
        // Both are encoded at once: the second one finds the first one's Sync in the outbox.
        let args = [Value::Int(1)];
        let fit = lease.send(&statements[0], &args, Rows::default());
        let unfit = lease.send(&statements[0], &[], Rows::default());
        let (first, second) = join(fit, unfit).await;
        assert_eq!(first.unwrap().int8(0, 1), 1);
        assert!(matches!(second, Err(Error::Bind(..))));
        assert_eq!(sql(pool, "SELECT 1::int8").await.unwrap().int8(0, 0), 1);
    });
}

#[test]
fn writes_are_transactions_of_their_own() {
    let insert = "INSERT INTO plectrum_batch SELECT n FROM generate_series(1, $1) n RETURNING n";
    let Some(config) = config() else { return };
    run(async {
        let pool = Pool::new(Config { max_connections: 1, ..config }).unwrap();
        sql(&pool, "CREATE TEMPORARY TABLE plectrum_batch (n int8)").await.unwrap();
        let statements =
            [Statement::new(insert, &[BindType::Int]), Statement::new(DIVISION, &[BindType::Int])];
        for statement in &statements {
            pool.fetch(statement, &[Value::Int(1)], Rows::default()).await.unwrap();
        }
        let lease = pool.lease().await.unwrap();
        let (written, failed) = join(send(&lease, &statements[0], 2), send(&lease, &statements[1], 0)).await;
        assert_eq!(written.unwrap().cells.len(), 2);
        assert_eq!(code(failed), "22012");
        let count = query(&pool, "SELECT count(*) FROM plectrum_batch", &[], &[]).await.unwrap();
        assert_eq!(count.int8(0, 0), 3, "what was written stays");
    });
}

#[test]
fn an_abandoned_batch_leaves_the_connection_in_order() {
    prepared(&[STARTED, "SELECT pg_sleep(0.05 * $1)::text"], async |pool, statements| {
        let lease = pool.lease().await.unwrap();
        let batch = join_all([
            Box::pin(send(&lease, &statements[1], 1)),
            Box::pin(send(&lease, &statements[1], 1)),
            Box::pin(send(&lease, &statements[1], 1)),
        ]);
        assert!(tokio::time::timeout(std::time::Duration::from_millis(20), batch).await.is_err());
        let rows = send(&lease, &statements[0], 7).await.unwrap();
        assert_eq!(rows.int8(0, 1), 7);
    });
}
