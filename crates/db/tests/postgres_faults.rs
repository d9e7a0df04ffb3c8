//! What goes wrong with real servers: cancelled, slow, lost and overloaded connections.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod support;

use std::rc::Rc;
use std::time::{Duration, Instant};

use plectrum_db::Statement;
use plectrum_db::error::Error;
use plectrum_db::plan::BindType;
use plectrum_db::pool::Pool;
use plectrum_db::postgres::Config;
use plectrum_db::sink::{Column, RowSink};
use plectrum_db::value::Value;
use support::server::Server;
use support::{Rows, config, run, sql};
use tokio::task::spawn_local;
use tokio::time::{sleep, timeout};

/// Number of sessions of this test's application that run something.
async fn running(pool: &Pool, application: &str) -> i64 {
    let text = format!(
        "SELECT count(*) FROM pg_stat_activity WHERE application_name = '{application}' AND state = 'active'"
    );
    sql(pool, &text).await.unwrap().int8(0, 0)
}

async fn until(what: &str, mut holds: impl AsyncFnMut() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(5);
    while !holds().await {
        assert!(Instant::now() < deadline, "{what}: not within five seconds");
        sleep(Duration::from_millis(5)).await;
    }
}

fn named(config: &Config, application: &str) -> Config {
    Config { application_name: application.to_owned(), ..config.clone() }
}

#[test]
fn dropping_a_running_fetch_cancels_it() {
    let Some(config) = config() else { return };
    run(async {
        let observer = Pool::new(config.clone()).unwrap();
        let pool = Pool::new(Config { max_connections: 1, ..named(&config, "drop-running") }).unwrap();
        let statement = Statement::new("SELECT pg_sleep(60)", &[]);
        assert!(
            timeout(Duration::from_millis(200), pool.fetch(&statement, &[], Rows::default())).await.is_err()
        );
        until("the sleep ends", async || running(&observer, "drop-running").await == 0).await;
        assert_eq!(sql(&pool, "SELECT 1").await.unwrap().int4(0, 0), 1);
        assert_eq!((pool.stats().opened, pool.stats().broken), (1, 0), "the connection survives");
    });
}

#[test]
fn a_time_limit_cancels() {
    let Some(config) = config() else { return };
    run(async {
        let pool = Pool::new(config).unwrap();
        let statement = Statement::new("SELECT pg_sleep(60)", &[]);
        let started = Instant::now();
        let limit = Duration::from_millis(150);
        let error = pool.fetch_within(limit, &statement, &[], Rows::default()).await.unwrap_err();
        assert!(matches!(error, Error::Timeout));
        assert!(started.elapsed() < Duration::from_secs(2));
        until("nothing in flight", async || pool.stats().in_flight == 0).await;
    });
}

#[test]
fn statement_timeout_is_a_timeout() {
    let Some(config) = config() else { return };
    run(async {
        let pool = Pool::new(Config { statement_timeout_ms: 50, ..config }).unwrap();
        assert!(matches!(sql(&pool, "SELECT pg_sleep(60)").await, Err(Error::Timeout)));
        assert_eq!(sql(&pool, "SELECT 1").await.unwrap().int4(0, 0), 1);
    });
}

#[test]
fn a_request_dropped_before_it_runs_is_discarded() {
    let Some(config) = config() else { return };
    run(async {
        let pool = Pool::new(Config { max_connections: 1, ..config }).unwrap();
        let slow = Statement::new("SELECT pg_sleep(0.2), 1", &[]);
        let quick = Statement::new("SELECT 2", &[]);
        let lease = pool.lease().await.unwrap();
        lease.send(&slow, &[], Rows::default()).await.unwrap();
        lease.send(&quick, &[], Rows::default()).await.unwrap();
        let first = lease.send(&slow, &[], Rows::default());
        let dropped = lease.send(&quick, &[], Rows::default());
        let last = lease.send(&quick, &[], Rows::default());
        drop(dropped);
        assert_eq!(last.await.unwrap().int4(0, 0), 2);
        assert_eq!(first.await.unwrap().int4(0, 1), 1);
    });
}

#[test]
fn a_long_request_dropped_before_it_runs_is_cancelled_when_it_does() {
    let Some(config) = config() else { return };
    run(async {
        let pool = Pool::new(Config { max_connections: 1, ..config }).unwrap();
        let sleep = Statement::new("SELECT pg_sleep($1), 1", &[BindType::Float]);
        let (short, middle, long) = ([Value::Float(0.0)], [Value::Float(0.2)], [Value::Float(60.0)]);
        let lease = pool.lease().await.unwrap();
        lease.send(&sleep, &short, Rows::default()).await.unwrap();
        let first = lease.send(&sleep, &middle, Rows::default());
        let dropped = lease.send(&sleep, &long, Rows::default());
        let last = lease.send(&sleep, &short, Rows::default());
        drop(dropped);
        assert_eq!(first.await.unwrap().int4(0, 1), 1);
        let last = timeout(Duration::from_secs(5), last).await.expect("the long one is cancelled");
        assert_eq!(last.unwrap().int4(0, 1), 1);
    });
}

#[test]
fn neighbours_of_a_cancelled_request_get_their_answers() {
    let Some(config) = config() else { return };
    run(async {
        let pool = Pool::new(Config { max_connections: 1, ..config }).unwrap();
        let slow = Statement::new("SELECT pg_sleep($1), 1", &[BindType::Float]);
        for round in 0..40 {
            let victim = {
                let (pool, statement) = (pool.clone(), Statement::new("SELECT pg_sleep(30)", &[]));
                spawn_local(async move { pool.fetch(&statement, &[], Rows::default()).await })
            };
            sleep(Duration::from_millis(5)).await;
            let others: Vec<_> = (0..10)
                .map(|n| {
                    let (pool, args) = (pool.clone(), [Value::Float(f64::from(n) / 1e4)]);
                    let slow = Statement::new(slow.sql(), slow.types());
                    spawn_local(async move { pool.fetch(&slow, &args, Rows::default()).await })
                })
                .collect();
            sleep(Duration::from_millis(round % 5)).await;
            victim.abort();
            for other in others {
                assert_eq!(other.await.unwrap().unwrap().int4(0, 1), 1, "round {round}");
            }
        }
        assert_eq!(pool.stats().broken, 0);
    });
}

#[test]
fn an_administrators_cancel_is_reported() {
    let Some(config) = config() else { return };
    run(async {
        let observer = Pool::new(config.clone()).unwrap();
        let pool = Pool::new(named(&config, "admin-cancel")).unwrap();
        let task = spawn_local(async move { sql(&pool, "SELECT pg_sleep(60)").await });
        until("it sleeps", async || running(&observer, "admin-cancel").await == 1).await;
        let cancel =
            "SELECT pg_cancel_backend(pid) FROM pg_stat_activity WHERE application_name = 'admin-cancel'";
        sql(&observer, cancel).await.unwrap();
        assert!(matches!(task.await.unwrap(), Err(Error::Server { code, .. }) if code == "57014"));
    });
}

/// Terminates all sessions of an application.
async fn terminate(observer: &Pool, application: &str) {
    let text = format!(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = '{application}'"
    );
    sql(observer, &text).await.unwrap();
}

#[test]
fn a_terminated_session_breaks_each_request_once() {
    let Some(config) = config() else { return };
    run(async {
        let observer = Pool::new(config.clone()).unwrap();
        let pool = Pool::new(Config { max_connections: 1, ..named(&config, "terminated") }).unwrap();
        // Not repeatable: nothing is executed a second time behind the caller's back.
        let slow = Statement::new("WITH x AS (SELECT pg_sleep(60)) SELECT 1 FROM x", &[]);
        let tasks: Vec<_> = (0..5)
            .map(|_| {
                let (pool, slow) = (pool.clone(), Statement::new(slow.sql(), &[]));
                spawn_local(async move { pool.fetch(&slow, &[], Rows::default()).await })
            })
            .collect();
        until("they are in flight", async || {
            pool.stats().in_flight == 5 && running(&observer, "terminated").await == 1
        })
        .await;
        // Once prepared, all are executed; give the last ones time to reach the socket.
        sleep(Duration::from_millis(50)).await;
        terminate(&observer, "terminated").await;
        for task in tasks {
            let error = task.await.unwrap().unwrap_err();
            assert!(
                matches!(&error, Error::Broken(why) if why.contains("terminating connection")),
                "{error}"
            );
        }
        assert_eq!(sql(&pool, "SELECT 1").await.unwrap().int4(0, 0), 1);
        assert_eq!(pool.stats().broken, 1);
    });
}

#[test]
fn a_repeatable_statement_is_executed_again() {
    let Some(config) = config() else { return };
    run(async {
        let observer = Pool::new(config.clone()).unwrap();
        let pool = Pool::new(Config { max_connections: 1, ..named(&config, "again") }).unwrap();
        let task = {
            let pool = pool.clone();
            spawn_local(async move { sql(&pool, "SELECT pg_sleep(0.3), 7").await })
        };
        until("it sleeps", async || running(&observer, "again").await == 1).await;
        terminate(&observer, "again").await;
        assert_eq!(task.await.unwrap().unwrap().int4(0, 1), 7);
        assert_eq!((pool.stats().opened, pool.stats().broken), (2, 1));
    });
}

#[test]
fn a_broken_idle_connection_is_never_handed_out() {
    let Some(config) = config() else { return };
    run(async {
        let observer = Pool::new(config.clone()).unwrap();
        let pool = Pool::new(named(&config, "idle-broken")).unwrap();
        for _ in 0..5 {
            // Not repeatable, so that a stale connection would show.
            let statement = Statement::new("WITH x AS (SELECT 1) SELECT * FROM x", &[]);
            pool.fetch(&statement, &[], Rows::default()).await.unwrap();
            let broken = pool.stats().broken;
            terminate(&observer, "idle-broken").await;
            until("the end is noticed", async || pool.stats().broken > broken).await;
        }
    });
}

#[test]
fn an_open_transaction_ends_the_connection() {
    let Some(config) = config() else { return };
    run(async {
        let pool = Pool::new(config).unwrap();
        let error = sql(&pool, "BEGIN").await.unwrap_err();
        assert!(matches!(error, Error::Broken(why) if why.contains("left its transaction open")));
        assert!(
            matches!(sql(&pool, "COPY (SELECT 1) TO STDOUT").await, Err(Error::Broken(why)) if why.contains("COPY"))
        );
        assert_eq!(sql(&pool, "SELECT 1").await.unwrap().int4(0, 0), 1);
    });
}

#[test]
fn waiting_for_a_connection_is_bounded() {
    let Some(config) = config() else { return };
    let config = Config { max_connections: 1, max_pipeline: 1, acquire_timeout_ms: 100, ..config };
    run(async {
        let pool = Pool::new(config).unwrap();
        sql(&pool, "SELECT 1").await.unwrap();
        let slow = spawn_local({
            let pool = pool.clone();
            async move { sql(&pool, "SELECT pg_sleep(0.5), 3").await }
        });
        tokio::task::yield_now().await;
        let started = Instant::now();
        let error = sql(&pool, "SELECT 2").await.unwrap_err();
        assert!(matches!(error, Error::Exhausted(waited) if waited == Duration::from_millis(100)));
        assert!(started.elapsed() >= Duration::from_millis(100));
        assert_eq!(slow.await.unwrap().unwrap().int4(0, 1), 3);
        assert_eq!(sql(&pool, "SELECT 2").await.unwrap().int4(0, 0), 2);
        assert_eq!(pool.stats().waiting, 0);
    });
}

#[test]
fn those_who_wait_are_served_in_order() {
    let Some(config) = config() else { return };
    let config = Config { max_connections: 1, max_pipeline: 2, ..config };
    run(async {
        let pool = Pool::new(config).unwrap();
        sql(&pool, "SELECT 1").await.unwrap();
        let order = Rc::new(std::cell::RefCell::new(Vec::new()));
        let tasks: Vec<_> = (0..50)
            .map(|n| {
                let (pool, order) = (pool.clone(), Rc::clone(&order));
                spawn_local(async move {
                    sql(&pool, "SELECT 1").await.unwrap();
                    order.borrow_mut().push(n);
                })
            })
            .collect();
        for task in tasks {
            task.await.unwrap();
        }
        assert_eq!(*order.borrow(), (0..50).collect::<Vec<_>>());
    });
}

#[test]
fn a_slow_request_does_not_hold_up_others() {
    let Some(config) = config() else { return };
    run(async {
        let pool = Pool::new(Config { max_connections: 2, ..config }).unwrap();
        sql(&pool, "SELECT 1").await.unwrap();
        let slow = spawn_local({
            let pool = pool.clone();
            async move { sql(&pool, "SELECT pg_sleep(1)").await }
        });
        sleep(Duration::from_millis(50)).await;
        // The first one may still land behind the slow one while another connection is opened.
        let _ = timeout(Duration::from_millis(100), sql(&pool, "SELECT 1")).await;
        let started = Instant::now();
        sql(&pool, "SELECT 1").await.unwrap();
        assert!(started.elapsed() < Duration::from_millis(300), "{:?}", started.elapsed());
        slow.await.unwrap().unwrap();
    });
}

#[test]
fn connections_age_and_surplus_ones_go() {
    let Some(config) = config() else { return };
    let config = Config { max_connections: 4, pack: 1, idle_timeout: 0.3, max_lifetime: 2.0, ..config };
    run(async {
        let pool = Pool::new(config).unwrap();
        // Requests land on the connections that are open already, so it takes a few until all are wanted.
        until("all are open", async || {
            let burst: Vec<_> = (0..8)
                .map(|_| {
                    let pool = pool.clone();
                    spawn_local(async move { sql(&pool, "SELECT pg_sleep(0.01)").await })
                })
                .collect();
            for task in burst {
                task.await.unwrap().unwrap();
            }
            pool.stats().open == 4
        })
        .await;
        until("one is kept", async || pool.stats().open == 1).await;
        let opened = pool.stats().opened;
        until("the last one is replaced", async || {
            sql(&pool, "SELECT 1").await.unwrap();
            pool.stats().opened > opened
        })
        .await;
        assert_eq!(pool.stats().broken, 0);
    });
}

#[test]
fn closing_lets_requests_finish() {
    let Some(config) = config() else { return };
    run(async {
        let observer = Pool::new(config.clone()).unwrap();
        let pool = Pool::new(named(&config, "closing")).unwrap();
        let task = spawn_local({
            let pool = pool.clone();
            async move { sql(&pool, "SELECT pg_sleep(0.2), 5").await }
        });
        until("it sleeps", async || running(&observer, "closing").await == 1).await;
        pool.close(Duration::from_secs(5)).await;
        assert_eq!(task.await.unwrap().unwrap().int4(0, 1), 5);
        assert!(matches!(sql(&pool, "SELECT 1").await, Err(Error::Unavailable(_))));
        let left = "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'closing'";
        until("the server sees it", async || sql(&observer, left).await.unwrap().int8(0, 0) == 0).await;
    });
}

#[test]
fn a_dropped_pool_leaves_no_session() {
    let Some(config) = config() else { return };
    run(async {
        let observer = Pool::new(config.clone()).unwrap();
        let pool = Pool::new(named(&config, "dropped")).unwrap();
        sql(&pool, "SELECT 1").await.unwrap();
        drop(pool);
        let left = "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'dropped'";
        until("the server sees it", async || sql(&observer, left).await.unwrap().int8(0, 0) == 0).await;
    });
}

#[test]
fn notifications_reach_the_listener() {
    let Some(config) = config() else { return };
    run(async {
        let pool = Pool::new(config.clone()).unwrap();
        let heard = Rc::new(std::cell::RefCell::new(Vec::new()));
        let ears = Rc::clone(&heard);
        pool.on_notification(move |notification| ears.borrow_mut().push(notification));
        sql(&pool, "LISTEN room").await.unwrap();
        sql(&Pool::new(config).unwrap(), "SELECT pg_notify('room', 'hello')").await.unwrap();
        until("it is heard", async || !heard.borrow().is_empty()).await;
        assert_eq!((&*heard.borrow()[0].channel, &*heard.borrow()[0].payload), ("room", "hello"));
    });
}

/// Panics at its first row.
#[derive(Debug)]
struct Panicking;

impl RowSink for Panicking {
    fn columns(&mut self, _: &Rc<[Column]>) -> Result<(), Error> {
        Ok(())
    }

    fn row(&mut self, _: &[Option<&[u8]>]) -> Result<(), Error> {
        panic!("on purpose")
    }
}

#[test]
fn a_panicking_sink_costs_one_connection() {
    let Some(config) = config() else { return };
    run(async {
        let pool = Pool::new(Config { max_connections: 1, ..config }).unwrap();
        for _ in 0..3 {
            let statement = Statement::new("VALUES (1)", &[]);
            let fetch = pool.fetch(&statement, &[], Panicking);
            let error = timeout(Duration::from_secs(5), fetch).await.unwrap().unwrap_err();
            assert!(matches!(error, Error::Broken(_)), "{error}");
            assert_eq!(sql(&pool, "SELECT 1").await.unwrap().int4(0, 0), 1);
        }
        assert_eq!(pool.stats().open, 1);
    });
}

#[test]
fn a_restarted_server_is_found_again() {
    let Some(mut server) = Server::start("") else { return };
    let config = Config { max_connections: 2, ..server.config() };
    run(async move {
        let pool = Pool::new(config).unwrap();
        for (round, signal) in ["INT", "QUIT", "KILL"].into_iter().enumerate() {
            let tasks: Vec<_> = (0..20)
                .map(|_| {
                    let pool = pool.clone();
                    spawn_local(
                        async move { sql(&pool, "WITH x AS (SELECT pg_sleep(30)) SELECT 1 FROM x").await },
                    )
                })
                .collect();
            until("all are in flight", async || pool.stats().in_flight >= 20).await;
            sleep(Duration::from_millis(50)).await;
            server.halt(signal);
            for task in tasks {
                let error = timeout(Duration::from_secs(5), task).await.unwrap().unwrap().unwrap_err();
                assert!(matches!(error, Error::Broken(_) | Error::Unavailable(_)), "{error}");
            }
            let started = Instant::now();
            assert!(matches!(sql(&pool, "SELECT 1").await, Err(Error::Unavailable(_))));
            assert!(started.elapsed() < Duration::from_millis(500), "fails fast");
            sleep(Duration::from_millis(1500)).await;
            server.resume();
            let started = Instant::now();
            while sql(&pool, "SELECT 1").await.is_err() {
                assert!(
                    started.elapsed() < Duration::from_secs(2),
                    "not healthy after two seconds, round {round}"
                );
                sleep(Duration::from_millis(10)).await;
            }
        }
    });
}

#[test]
fn requests_during_a_restart_fail_once_at_most() {
    let Some(mut server) = Server::start("") else { return };
    let pool_config = Config { max_connections: 2, ..server.config() };
    run(async move {
        let pool = Pool::new(pool_config).unwrap();
        let stop = Rc::new(std::cell::Cell::new(false));
        let clients: Vec<_> = (0..50)
            .map(|_| {
                let (pool, stop) = (pool.clone(), Rc::clone(&stop));
                spawn_local(async move {
                    let (mut good, mut last_bad) = (0_u32, None);
                    while !stop.get() {
                        match sql(&pool, "SELECT generate_series(1, 10)").await {
                            Ok(rows) => good += u32::from(rows.cells.len() == 10),
                            Err(Error::Broken(_) | Error::Unavailable(_)) => last_bad = Some(Instant::now()),
                            Err(other) => panic!("{other}"),
                        }
                        sleep(Duration::from_millis(1)).await;
                    }
                    (good, last_bad)
                })
            })
            .collect();
        sleep(Duration::from_millis(300)).await;
        server.halt("INT");
        server.resume();
        let up = Instant::now();
        sleep(Duration::from_secs(3)).await;
        stop.set(true);
        for client in clients {
            let (good, last_bad) = client.await.unwrap();
            assert!(good > 100, "{good}");
            assert!(last_bad.is_none_or(|bad| bad < up + Duration::from_secs(2)));
        }
    });
}

#[test]
fn an_unreachable_server_is_unavailable() {
    let config = Config {
        hosts: vec![plectrum_db::postgres::Host { host: "/nonexistent".to_owned(), port: 1 }],
        user: "nobody".to_owned(),
        ..Config::default()
    };
    run(async {
        let pool = Pool::new(config).unwrap();
        let error = pool.warm_up().await.unwrap_err();
        assert!(
            matches!(&error, Error::Unavailable(why) if why.starts_with("/nonexistent/.s.PGSQL.1: ")),
            "{error}"
        );
    });
}
