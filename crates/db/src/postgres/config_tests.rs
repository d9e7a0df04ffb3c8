#![allow(clippy::unwrap_used)]
use super::*;

#[test]
fn everything_has_a_default_but_the_user() {
    let config = Config::from_json(r#"{"user": "shop"}"#).unwrap();
    assert_eq!(config.hosts, [Host { host: "localhost".to_owned(), port: 5432 }]);
    assert_eq!(config.database(), "shop");
    assert_eq!((config.sslmode, config.target_session_attrs), (SslMode::Prefer, TargetSession::Any));
    let error = Config::from_json("{}").unwrap_err();
    assert_eq!(error, "database settings: no user given; set USER (or put it into the URL)");
}

#[test]
fn names_are_those_of_libpq() {
    let config = Config::from_json(
        r#"{"user": "u", "password": "p", "dbname": "d", "sslmode": "verify-full", "target_session_attrs": "read-write",
            "hosts": [{"host": "/run/pg"}, {"host": "db2", "port": 6000}], "parameters": {"TimeZone": "UTC"},
            "keepalives": {"enabled": false}, "assume_role": "r", "init": ["SET a = b"], "connect_timeout": 0}"#,
    )
    .unwrap();
    assert_eq!(
        (config.sslmode, config.target_session_attrs),
        (SslMode::VerifyFull, TargetSession::ReadWrite)
    );
    assert_eq!(config.hosts[0].to_string(), "/run/pg/.s.PGSQL.5432");
    assert_eq!(config.hosts[1].to_string(), "db2:6000");
    assert!(config.hosts[0].is_unix() && !config.hosts[1].is_unix());
    assert_eq!((config.keepalives.enabled, config.keepalives.idle), (false, 60));
    assert_eq!(config.connect_limit(), Duration::from_secs(86_400));
    let shown = format!("{config:?}");
    assert!(!shown.contains("password") && shown.contains("VerifyFull"), "{shown}");
}

#[test]
fn what_cannot_work_is_refused() {
    for (json, wanted) in [
        (r#"{"user": "u", "pool": 3}"#, "unknown field `pool`"),
        (r#"{"user": "u", "sslmode": "maybe"}"#, "unknown variant `maybe`"),
        (r#"{"user": "u", "hosts": [{"port": 70000}]}"#, "invalid value: integer `70000`"),
        (r#"{"user": "u", "max_connections": 0}"#, "max_connections is 0, expected at least 1"),
        (r#"{"user": "u", "max_pipeline": 0}"#, "max_pipeline is 0"),
        (r#"{"user": "u", "pack": 0}"#, "pack is 0"),
        (r#"{"user": "u", "idle_timeout": -1}"#, "idle_timeout is -1, expected seconds"),
        (r#"{"user": "u", "max_lifetime": 1e300}"#, "max_lifetime is 1"),
    ] {
        let error = Config::from_json(json).unwrap_err();
        assert!(error.starts_with("database settings: ") && error.contains(wanted), "{json}: {error}");
    }
}
