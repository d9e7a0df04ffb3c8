//! Latencies in buckets: the preferred numbers R10 (ISO 3), ten to a decade, so that any percentile is right to about 12 %
//! and the bounds Prometheus users know are among them.

/// Hundredths: 1.00, 1.25, …
const R10: [u64; 10] = [100, 125, 160, 200, 250, 315, 400, 500, 630, 800];
const DECADES: usize = 7;
/// Bounds, from 10 µs to 100 s.
const BOUNDS: usize = 10 * DECADES + 1;
/// One more than bounds: the last one has none.
pub(crate) const BUCKETS: usize = BOUNDS + 1;

/// Upper bounds in nanoseconds, themselves included.
static NANOS: [u64; BOUNDS] = bounds();

const fn bounds() -> [u64; BOUNDS] {
    let mut all = [0; BOUNDS];
    let (mut index, mut unit) = (0, 100);
    while index < BOUNDS {
        all[index] = R10[index % 10] * unit;
        index += 1;
        if index.is_multiple_of(10) {
            unit *= 10;
        }
    }
    all
}

/// The bucket of a duration.
pub(crate) fn of(nanos: u64) -> usize {
    NANOS.partition_point(|bound| *bound < nanos)
}

/// Those that are exported: how many buckets are below each bound, and the bound in seconds.
pub(crate) const EXPORTED: [(usize, &str); 16] = [
    (11, "0.0001"),
    (15, "0.00025"),
    (18, "0.0005"),
    (21, "0.001"),
    (25, "0.0025"),
    (28, "0.005"),
    (31, "0.01"),
    (35, "0.025"),
    (38, "0.05"),
    (41, "0.1"),
    (45, "0.25"),
    (48, "0.5"),
    (51, "1"),
    (55, "2.5"),
    (58, "5"),
    (61, "10"),
];

/// The duration in nanoseconds that `share` of all requests did not exceed; none where there were none.
pub(crate) fn percentile(counts: &[u64], share: f64) -> Option<u64> {
    let total: u64 = counts.iter().sum();
    let wanted = (total as f64 * share).ceil().max(1.0) as u64;
    let mut seen = 0;
    let bucket = counts.iter().position(|count| {
        seen += count;
        seen >= wanted
    })?;
    Some(NANOS.get(bucket).or(NANOS.last()).copied().unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bounds_belong_to_the_bucket_below_them() {
        assert_eq!([0, 10_000, 10_001, 12_500].map(of), [0, 0, 1, 1]);
        assert_eq!([100_000_000_000, 100_000_000_001].map(of), [BOUNDS - 1, BUCKETS - 1]);
    }

    #[test]
    fn exported_bounds_are_bounds() {
        for (below, seconds) in EXPORTED {
            let seconds: f64 = seconds.parse().unwrap_or_default();
            assert_eq!(NANOS[below - 1], (seconds * 1e9).round() as u64, "{seconds}");
        }
    }

    #[test]
    fn percentiles_are_upper_bounds() {
        let mut counts = [0; BUCKETS];
        assert_eq!(percentile(&counts, 0.5), None);
        counts[of(1_000_000)] = 99;
        counts[of(2_000_000_000)] = 1;
        assert_eq!(
            [0.5, 0.99, 1.0].map(|share| percentile(&counts, share)),
            [Some(1_000_000), Some(1_000_000), Some(2_000_000_000)]
        );
    }
}
