//! CPU per fetch at a given concurrency and policy:
//! `PLECTRUM_TEST_PG='{"user": …}' postgres_load <concurrency> <rows> <pack> <max_connections> [seconds]`
#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::cell::Cell;
use std::rc::Rc;
use std::time::{Duration, Instant};

use plectrum_db::Statement;
use plectrum_db::error::Error;
use plectrum_db::plan::BindType;
use plectrum_db::pool::Pool;
use plectrum_db::postgres::Config;
use plectrum_db::sink::{Column, RowSink};
use plectrum_db::value::Value;

const COLUMNS: &str = "id,uid,author_id,title,slug,body,status,price,rating,views,published,tags,created_at,updated_at,published_on";

/// Counts rows and bytes.
#[derive(Default)]
struct Count(usize, usize);

impl RowSink for Count {
    fn columns(&mut self, _: &Rc<[Column]>) -> Result<(), Error> {
        Ok(())
    }

    fn row(&mut self, cells: &[Option<&[u8]>]) -> Result<(), Error> {
        self.0 += 1;
        self.1 += cells.iter().flatten().map(|cell| cell.len()).sum::<usize>();
        Ok(())
    }
}

/// Microseconds of CPU that this process has used.
fn cpu() -> f64 {
    let stat = std::fs::read_to_string("/proc/self/schedstat").unwrap();
    stat.split_whitespace().next().unwrap().parse::<f64>().unwrap() / 1000.0
}

fn main() {
    let numbers: Vec<usize> = std::env::args().skip(1).map(|number| number.parse().unwrap()).collect();
    let [concurrency, rows, pack, max_connections, ref rest @ ..] = numbers[..] else {
        panic!("usage: postgres_load <concurrency> <rows> <pack> <max_connections> [seconds]")
    };
    let seconds = rest.first().copied().unwrap_or(3) as u64;
    let config = Config::from_json(&std::env::var("PLECTRUM_TEST_PG").expect("PLECTRUM_TEST_PG")).unwrap();
    let config = Config { pack, max_connections, ..config };
    let mut builder = tokio::runtime::Builder::new_current_thread();
    let runtime = builder.enable_all().build_local(tokio::runtime::LocalOptions::default()).unwrap();
    runtime.block_on(load(Pool::new(config).unwrap(), concurrency, rows, Duration::from_secs(seconds)));
}

async fn load(pool: Pool, concurrency: usize, rows: usize, length: Duration) {
    let one = rows == 1;
    let sql = if one { "WHERE id = $1" } else { "ORDER BY id LIMIT $1" };
    let statement = Rc::new(Statement::new(format!("SELECT {COLUMNS} FROM article {sql}"), &[BindType::Int]));
    let (done, slowest) = (Rc::new(Cell::new(0_u64)), Rc::new(Cell::new(Duration::ZERO)));
    let end = Instant::now() + length;
    let warm = end - length / 5 * 4;
    let tasks: Vec<_> = (0..concurrency)
        .map(|client| {
            let (pool, statement) = (pool.clone(), Rc::clone(&statement));
            let (done, slowest) = (Rc::clone(&done), Rc::clone(&slowest));
            tokio::task::spawn_local(async move {
                let mut id = client as i64;
                while Instant::now() < end {
                    id = id % 20_000 + 1;
                    let started = Instant::now();
                    let args = [Value::Int(if one { id } else { rows as i64 })];
                    let count = pool.fetch(&statement, &args, Count::default()).await.unwrap();
                    assert_eq!(count.0, rows);
                    if started > warm {
                        done.set(done.get() + 1);
                        slowest.set(slowest.get().max(started.elapsed()));
                    }
                }
            })
        })
        .collect();
    tokio::time::sleep_until(warm.into()).await;
    let (before, started) = (cpu(), Instant::now());
    for task in tasks {
        task.await.unwrap();
    }
    let (used, elapsed, count) = (cpu() - before, started.elapsed(), done.get() as f64);
    println!(
        "{concurrency:4} clients, {rows:4} rows: {:7.2} µs CPU per fetch, {:8.0} per second, mean latency {:6.2} ms, slowest {:?}, {:?}",
        used / count,
        count / elapsed.as_secs_f64(),
        elapsed.as_secs_f64() * 1000.0 * concurrency as f64 / count,
        slowest.get(),
        pool.stats(),
    );
}
