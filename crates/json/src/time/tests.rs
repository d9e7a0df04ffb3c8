#![allow(clippy::unwrap_used)]
use super::*;

fn text(write: impl FnOnce(&mut Vec<u8>)) -> String {
    let mut out = Vec::new();
    write(&mut out);
    String::from_utf8(out).unwrap()
}

#[test]
fn every_day_of_the_calendar_follows_the_one_before() {
    let (mut year, mut month, mut day) = (1, 1, 1);
    for days in FIRST_DAY..=LAST_DAY {
        assert_eq!(civil(days as i32), (year, month, day), "day {days}");
        assert_eq!(i64::from(days_from_civil(year as i32, month as u8, day as u8)), days);
        let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
        let length = match month {
            2 if leap => 29,
            2 => 28,
            4 | 6 | 9 | 11 => 30,
            _ => 31,
        };
        (year, month, day) = match (month, day) {
            (12, 31) => (year + 1, 1, 1),
            (_, d) if d == length => (year, month + 1, 1),
            _ => (year, month, day + 1),
        };
    }
    assert_eq!(year, 10_000);
    assert_eq!(civil(0), (1970, 1, 1));
}

#[test]
fn dates_are_padded_and_bounded() {
    let date = |days| text(|out| write_date(out, days).unwrap());
    assert_eq!(date(0), r#""1970-01-01""#);
    assert_eq!(date(-719_162), r#""0001-01-01""#);
    assert_eq!(date(2_932_896), r#""9999-12-31""#);
    assert_eq!(date(19_782), r#""2024-02-29""#);
    let mut out = b"x".to_vec();
    for days in [-719_163, 2_932_897, i32::MIN, i32::MAX] {
        assert_eq!(write_date(&mut out, days), Err(OutOfRange));
    }
    assert_eq!(out, b"x");
    write_date_bare(&mut out, 1).unwrap();
    assert_eq!(out, b"x1970-01-02");
}

#[test]
fn times_show_a_fraction_only_where_there_is_one() {
    let time = |micros| text(|out| write_time(out, micros).unwrap());
    assert_eq!(time(0), r#""00:00:00""#);
    assert_eq!(time(1), r#""00:00:00.000001""#);
    assert_eq!(time(DAY - 1), r#""23:59:59.999999""#);
    assert_eq!(time(45_296_500_000), r#""12:34:56.500000""#);
    assert_eq!(text(|out| write_time_bare(out, 60 * SECOND).unwrap()), "00:01:00");
    for micros in [-1, DAY] {
        assert_eq!(write_time(&mut Vec::new(), micros), Err(OutOfRange));
    }
}

#[test]
fn datetimes_carry_their_offset_as_drf_writes_it() {
    let micros = 1_704_112_496_000_000; // 2024-01-01T12:34:56Z
    let at = |micros, offset| text(|out| write_datetime(out, micros, offset).unwrap());
    assert_eq!(at(micros, Offset::Naive), r#""2024-01-01T12:34:56""#);
    assert_eq!(at(micros + 120, Offset::Utc), r#""2024-01-01T12:34:56.000120Z""#);
    assert_eq!(at(micros, Offset::Seconds(0)), r#""2024-01-01T12:34:56Z""#);
    assert_eq!(at(micros, Offset::Seconds(19_800)), r#""2024-01-01T18:04:56+05:30""#);
    assert_eq!(at(micros, Offset::Seconds(-46_800)), r#""2023-12-31T23:34:56-13:00""#);
    // Amsterdam before 1937, Monrovia before 1972.
    assert_eq!(at(micros, Offset::Seconds(1_172)), r#""2024-01-01T12:54:28+00:19:32""#);
    assert_eq!(at(micros, Offset::Seconds(-2_670)), r#""2024-01-01T11:50:26-00:44:30""#);
    assert_eq!(at(-1, Offset::Utc), r#""1969-12-31T23:59:59.999999Z""#);
    assert_eq!(text(|out| write_datetime_bare(out, 0, Offset::Utc).unwrap()), "1970-01-01T00:00:00Z");
}

#[test]
fn datetimes_outside_python_years_are_refused() {
    let end = (LAST_DAY + 1) * DAY;
    for (micros, offset) in [
        (end, Offset::Utc),
        (end - 1, Offset::Seconds(3600)),
        (FIRST_DAY * DAY, Offset::Seconds(-1)),
        (i64::MAX, Offset::Seconds(1)),
        (i64::MIN, Offset::Seconds(-1)),
        (i64::MAX, Offset::Naive),
    ] {
        assert_eq!(write_datetime(&mut Vec::new(), micros, offset), Err(OutOfRange), "{micros}");
    }
    assert!(write_datetime(&mut Vec::new(), end - 1, Offset::Seconds(-3600)).is_ok());
}

#[test]
fn durations_are_django_s() {
    let day = i128::from(DAY);
    for (micros, expected) in [
        (0, r#""00:00:00""#),
        (-1_000_000, r#""-1 23:59:59""#),
        (-day, r#""-1 00:00:00""#),
        (day * 12 + 3_723_000_000, r#""12 01:02:03""#),
        (1, r#""00:00:00.000001""#),
        (day * 999_999_999 + day - 1, r#""999999999 23:59:59.999999""#),
    ] {
        assert_eq!(text(|out| write_duration(out, micros)), expected);
    }
    for extreme in [i128::MIN, i128::MAX] {
        assert!(text(|out| write_duration_bare(out, extreme)).contains(':'));
    }
}

#[test]
fn what_the_wall_shows_is_written_as_it_is() {
    let wall = |year, month, day, micros| Wall { year, month, day, micros };
    for (shown, offset, expected) in [
        (wall(1, 1, 1, 0), Offset::Naive, "\"0001-01-01T00:00:00\""),
        (wall(9999, 12, 31, DAY - 1), Offset::Seconds(-3600), "\"9999-12-31T23:59:59.999999-01:00\""),
        (wall(2026, 11, 20, 45_045_000_001), Offset::Utc, "\"2026-11-20T12:30:45.000001Z\""),
        (wall(2026, 11, 20, 0), Offset::Seconds(19_800), "\"2026-11-20T00:00:00+05:30\""),
    ] {
        let mut out = Vec::new();
        write_wall(&mut out, shown, offset).unwrap();
        assert_eq!(String::from_utf8(out).unwrap(), expected);
    }
    let mut out = Vec::new();
    for wrong in
        [wall(0, 1, 1, 0), wall(10_000, 1, 1, 0), wall(1, 13, 1, 0), wall(1, 1, 32, 0), wall(1, 1, 1, DAY)]
    {
        assert_eq!(write_wall(&mut out, wrong, Offset::Naive), Err(OutOfRange));
    }
    assert!(out.is_empty());
}
