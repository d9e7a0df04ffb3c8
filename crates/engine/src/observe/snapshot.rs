//! The numbers as the dashboard reads them.

use serde_json::{Value, json};

use super::Observer;
use super::board::Gauge;
use super::buckets::percentile;

impl Observer {
    /// Routes, workers, pools and notes of all workers of the host.
    #[must_use]
    pub fn snapshot(&self) -> Value {
        self.look();
        let routes: Vec<_> = (0..self.labels.len()).filter_map(|slot| self.route(slot)).collect();
        let sum = |gauge| self.board.sum(gauge);
        let workers: Vec<_> = self
            .board
            .living()
            .map(|(row, process)| {
                let gauge = |gauge| self.board.gauge(row, gauge);
                json!({
                    "row": row, "pid": process, "started": gauge(Gauge::Started), "memory": gauge(Gauge::Memory),
                    "in_flight": gauge(Gauge::InFlight), "connections": gauge(Gauge::Connections),
                    "idle": gauge(Gauge::Idle), "statements": gauge(Gauge::Statements),
                    "waiting": gauge(Gauge::Waiting),
                })
            })
            .collect();
        let mut notes: Vec<Value> =
            self.board.noted().iter().filter_map(|note| serde_json::from_str(note).ok()).collect();
        notes.sort_by(|one, other| other["at"].as_str().cmp(&one["at"].as_str()));
        json!({
            "routes": routes, "workers": workers, "notes": notes,
            "totals": {
                "in_flight": sum(Gauge::InFlight), "slow": sum(Gauge::Slow), "shed": sum(Gauge::Shed),
                "opened": sum(Gauge::Opened), "broken": sum(Gauge::Broken),
                "hits": sum(Gauge::CacheHits), "misses": sum(Gauge::CacheMisses),
            },
        })
    }

    fn route(&self, slot: usize) -> Option<Value> {
        let (label, total) = (self.label(slot), self.board.total(slot));
        if total.is_empty() {
            return None;
        }
        let at = |share| percentile(&total.buckets, share).map(|nanos| nanos / 1000);
        Some(json!({
            "method": label.method, "path": label.path, "way": label.way,
            "requests": total.classes.iter().sum::<u64>(), "classes": total.classes,
            "micros": total.nanos / 1000, "p50": at(0.5), "p95": at(0.95), "p99": at(0.99),
        }))
    }
}
