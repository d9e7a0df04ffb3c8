#![allow(clippy::unwrap_used)]

use super::*;

fn clock(name: &str) -> Clock {
    Clock::new(Zone::named(name).unwrap(), Zone::Utc)
}

fn instant(clock: &Clock, text: &str) -> String {
    let micros = text.parse::<Timestamp>().unwrap().as_microsecond();
    let mut out = Vec::new();
    clock.write_instant(&mut out, micros).unwrap();
    String::from_utf8(out).unwrap()
}

fn wall(clock: &Clock, text: &str) -> String {
    let micros = format!("{text}Z").parse::<Timestamp>().unwrap().as_microsecond();
    let mut out = Vec::new();
    clock.write_wall(&mut out, micros).unwrap();
    String::from_utf8(out).unwrap()
}

#[test]
fn instants_are_written_in_the_zone() {
    let berlin = clock("Europe/Berlin");
    assert_eq!(instant(&berlin, "2024-01-01T00:00:00.5Z"), r#""2024-01-01T01:00:00.500000+01:00""#);
    // The very seconds around both changes.
    assert_eq!(instant(&berlin, "2024-03-31T00:59:59Z"), r#""2024-03-31T01:59:59+01:00""#);
    assert_eq!(instant(&berlin, "2024-03-31T01:00:00Z"), r#""2024-03-31T03:00:00+02:00""#);
    assert_eq!(instant(&berlin, "2024-10-27T00:59:59.999999Z"), r#""2024-10-27T02:59:59.999999+02:00""#);
    assert_eq!(instant(&berlin, "2024-10-27T01:00:00Z"), r#""2024-10-27T02:00:00+01:00""#);
    assert_eq!(instant(&clock("UTC"), "2024-01-01T00:00:00Z"), r#""2024-01-01T00:00:00Z""#);
    assert_eq!(instant(&clock("Europe/London"), "2024-01-01T00:00:00Z"), r#""2024-01-01T00:00:00Z""#);
    assert_eq!(instant(&clock("Asia/Kolkata"), "1900-01-01T00:00:00Z"), r#""1900-01-01T05:21:10+05:21:10""#);
}

#[test]
fn remembered_stretches_never_change_an_answer() {
    for name in
        ["Europe/Berlin", "America/Caracas", "Asia/Kathmandu", "Australia/Lord_Howe", "Africa/Casablanca"]
    {
        let zone = TimeZone::get(name).unwrap();
        let remembering = clock(name);
        let mut seed = 88_172_645_463_325_252_u64;
        for _ in 0..20_000 {
            seed ^= seed << 13;
            seed ^= seed >> 7;
            seed ^= seed << 17;
            // 1850 to 2150, in runs that stay close together.
            let second = (seed % 9_467_000_000) as i64 - 3_787_000_000;
            for second in [second, second + 3600, second + 86_400] {
                let expected = zone.to_offset(Timestamp::from_second(second).unwrap()).seconds();
                assert_eq!(remembering.offset_in(&zone, second * SECOND), expected, "{name} at {second}");
            }
        }
    }
}

#[test]
fn transitions_belong_to_the_stretch_they_begin() {
    let zone = TimeZone::get("Europe/Berlin").unwrap();
    for transition in zone.following(Timestamp::UNIX_EPOCH).take(100) {
        let second = transition.timestamp().as_second();
        assert_eq!(lookup(&zone, second).from, second);
        assert_eq!(lookup(&zone, second - 1).to, second);
    }
}

#[test]
fn wall_times_take_the_earlier_offset() {
    let berlin = clock("Europe/Berlin");
    assert_eq!(wall(&berlin, "2024-07-01T12:00:00"), r#""2024-07-01T12:00:00+02:00""#);
    assert_eq!(wall(&berlin, "2024-10-27T02:30:00"), r#""2024-10-27T02:30:00+02:00""#);
    assert_eq!(wall(&berlin, "2024-03-31T02:30:00"), r#""2024-03-31T02:30:00+01:00""#);
    assert_eq!(
        wall(&Clock::new(Zone::Fixed(-5400), Zone::Utc), "2024-01-01T00:00:00"),
        r#""2024-01-01T00:00:00-01:30""#
    );
}

#[test]
fn years_past_pythons_are_refused() {
    let micros = 253_402_300_799_000_000; // 9999-12-31T23:59:59Z
    let mut out = Vec::new();
    assert_eq!(clock("Europe/Berlin").write_instant(&mut out, micros), Err(OutOfRange));
    assert!(clock("America/New_York").write_instant(&mut out, micros).is_ok());
    assert_eq!(clock("Europe/Berlin").write_instant(&mut out, i64::MAX), Err(OutOfRange));
}

#[test]
fn unknown_zones_are_an_error() {
    assert!(Zone::named("Mars/Olympus").is_err());
}
