//! Executions against a real server: values, errors, pipelining, statement caches.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod support;

use plectrum_db::plan::BindType;
use plectrum_db::pool::Pool;
use plectrum_db::value::Value;
use support::{config, query, run, sql};

#[test]
fn values_go_in_and_out() {
    let Some(config) = config() else { return };
    run(async {
        let pool = Pool::new(config).unwrap();
        let rows = sql(&pool, "SELECT 1::int8, 'häßlich', NULL::text").await.unwrap();
        assert_eq!((rows.int8(0, 0), rows.text(0, 1), &rows.cells[0][2]), (1, "häßlich", &None));
        assert_eq!(rows.oids, [20, 25, 25]);
        assert!(rows.completed);
        let rows = query(&pool, "SELECT $1 + 1", &[BindType::Int], &[Value::Int(41)]).await.unwrap();
        assert_eq!(rows.int8(0, 0), 42);
    });
}
