//! Logging in: passwords, TLS and its verification, several hosts, PgBouncer.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod support;

use std::process::Command;

use plectrum_db::Statement;
use plectrum_db::error::Error;
use plectrum_db::plan::BindType;
use plectrum_db::pool::Pool;
use plectrum_db::postgres::{Config, Host, SslMode, TargetSession};
use plectrum_db::value::Value;
use support::server::{Server, free_port, program};
use support::{Rows, run, sql};

/// A server with a user per authentication method, password `sécret` each.
fn server(settings: &str) -> Option<Server> {
    let server = Server::start(settings)?;
    run(async {
        let pool = Pool::new(server.config()).unwrap();
        for method in ["md5", "scram-sha-256"] {
            let user = method.replace('-', "_");
            let text = format!("SELECT set_config('password_encryption', '{method}', false)");
            sql(&pool, &text).await.unwrap();
            sql(&pool, &format!("CREATE USER {user} PASSWORD 'sécret'")).await.unwrap();
        }
        sql(&pool, "CREATE USER cleartext PASSWORD 'sécret'").await.unwrap();
        sql(&pool, "CREATE USER tls PASSWORD 'sécret'").await.unwrap();
        sql(&pool, "CREATE USER certified").await.unwrap();
    });
    let hba = "local all postgres trust\nlocal all md5 md5\nlocal all cleartext password\n\
        local all all scram-sha-256\nhost all postgres 127.0.0.1/32 trust\nhostssl all certified 127.0.0.1/32 cert\n\
        hostssl all tls 127.0.0.1/32 scram-sha-256\nhostnossl all scram_sha_256 127.0.0.1/32 scram-sha-256\n";
    server.write("data/pg_hba.conf", hba);
    server.reload();
    Some(server)
}

async fn log_in(config: Config) -> Result<Rows, Error> {
    sql(&Pool::new(config).unwrap(), "SELECT current_user::text").await
}

fn as_user(config: Config, user: &str, password: Option<&str>) -> Config {
    Config { user: user.to_owned(), password: password.map(str::to_owned), ..config }
}

#[test]
fn passwords() {
    let Some(server) = server("") else { return };
    run(async {
        for user in ["md5", "scram_sha_256", "cleartext"] {
            let rows = log_in(as_user(server.config(), user, Some("sécret"))).await.unwrap();
            assert_eq!(rows.text(0, 0), user);
            let error = log_in(as_user(server.config(), user, Some("wrong"))).await.unwrap_err();
            let wanted = format!("password authentication failed for user \"{user}\" (28P01)");
            assert!(matches!(&error, Error::Unavailable(why) if why.ends_with(&wanted)), "{error}");
            let error = log_in(as_user(server.config(), user, None)).await.unwrap_err();
            assert!(matches!(&error, Error::Unavailable(why) if why.ends_with("none is set")), "{error}");
        }
    });
}

#[test]
fn hosts_are_tried_in_order() {
    let Some(server) = Server::start("") else { return };
    run(async {
        let good = server.config().hosts.remove(0);
        let tcp = Host { host: "127.0.0.1".to_owned(), port: server.port };
        let dead = Host { host: "127.0.0.1".to_owned(), port: free_port() };
        let hosts = vec![dead.clone(), good, tcp];
        let local = "SELECT coalesce(host(inet_client_addr()), 'local')";
        let pool = Pool::new(Config { hosts: hosts.clone(), ..server.config() }).unwrap();
        assert_eq!(sql(&pool, local).await.unwrap().text(0, 0), "local");
        for (target, good) in [
            (TargetSession::ReadWrite, true),
            (TargetSession::Primary, true),
            (TargetSession::PreferStandby, true),
            (TargetSession::ReadOnly, false),
            (TargetSession::Standby, false),
        ] {
            let config = Config { hosts: hosts.clone(), target_session_attrs: target, ..server.config() };
            let result = log_in(config).await;
            assert_eq!(result.is_ok(), good, "{target:?}: {result:?}");
        }
        let error = log_in(Config { hosts: vec![dead.clone()], ..server.config() }).await.unwrap_err();
        let wanted = format!("{dead}: Connection refused (os error 111)");
        assert!(matches!(&error, Error::Unavailable(why) if *why == wanted), "{error}");
    });
}

/// Certificates made by `openssl`: an authority, a server for `localhost`, a client `certified`.
fn certificates(server: &Server) -> bool {
    let openssl = |arguments: &str| {
        let mut command = Command::new("openssl");
        command.current_dir(&server.directory).args(arguments.split_whitespace());
        command.output().is_ok_and(|output| output.status.success())
    };
    let issue = |name: &str, subject: &str| {
        openssl(&format!(
            "req -new -newkey rsa:2048 -nodes -keyout {name}.key -out {name}.csr -subj /CN={subject}"
        )) && openssl(&format!(
            "x509 -req -in {name}.csr -CA ca.crt -CAkey ca.key -CAcreateserial -days 2 -sha384 -out {name}.crt -extfile names"
        ))
    };
    std::fs::write(
        server.directory.join("names"),
        "subjectAltName=DNS:localhost\nbasicConstraints=CA:FALSE\n",
    )
    .unwrap();
    let made = openssl(
        "req -x509 -newkey rsa:2048 -nodes -keyout ca.key -out ca.crt -days 2 -subj /CN=authority -addext basicConstraints=critical,CA:TRUE",
    ) && issue("server", "localhost")
        && issue("client", "certified")
        && openssl(
            "req -x509 -newkey rsa:2048 -nodes -keyout other.key -out other.crt -days 2 -subj /CN=other",
        );
    for name in ["server.crt", "server.key"] {
        if let Ok(text) = std::fs::read_to_string(server.directory.join(name)) {
            server.write(name, &text);
            std::process::Command::new("chmod").arg("600").arg(server.directory.join(name)).status().unwrap();
        }
    }
    made
}

/// A server with TLS, or `None` (after saying so) where it cannot be had.
fn encrypted_server() -> Option<Server> {
    let mut server = server("")?;
    let configure = server.command("pg_config").arg("--configure").output();
    if !configure.is_ok_and(|found| String::from_utf8_lossy(&found.stdout).contains("ssl"))
        || !certificates(&server)
    {
        eprintln!("SKIPPED: this PostgreSQL has no TLS, or there is no openssl");
        return None;
    }
    let place = server.directory.display().to_string();
    let settings = format!(
        "ssl = on\nssl_cert_file = '{place}/server.crt'\nssl_key_file = '{place}/server.key'\nssl_ca_file = '{place}/ca.crt'\n"
    );
    std::fs::copy(server.directory.join("ca.crt"), server.directory.join("trusted.crt")).unwrap();
    server.write("data/postgresql.auto.conf", &settings);
    server.halt("INT");
    server.resume();
    Some(server)
}

#[test]
fn encryption() {
    let Some(server) = encrypted_server() else { return };
    let path = |name: &str| Some(server.directory.join(name));
    let at = |host: &str, sslmode, root: Option<&str>| Config {
        sslmode,
        sslrootcert: root.and_then(path),
        ..server.config_at(host)
    };
    let encrypted = "SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()";
    run(async {
        let ssl = async |config: Config| {
            let rows = sql(&Pool::new(config).unwrap(), encrypted).await?;
            Ok::<bool, Error>(rows.cells[0][0].as_deref() == Some(&[1]))
        };
        assert!(!ssl(at("127.0.0.1", SslMode::Disable, None)).await.unwrap());
        assert!(!ssl(at("127.0.0.1", SslMode::Allow, None)).await.unwrap());
        assert!(ssl(at("127.0.0.1", SslMode::Prefer, None)).await.unwrap());
        assert!(ssl(at("127.0.0.1", SslMode::Require, None)).await.unwrap(), "any certificate will do");
        assert!(
            ssl(at("127.0.0.1", SslMode::Require, Some("other.crt"))).await.is_err(),
            "a root certificate is checked"
        );
        assert!(
            ssl(at("127.0.0.1", SslMode::VerifyCa, Some("ca.crt"))).await.unwrap(),
            "the name does not matter"
        );
        assert!(ssl(at("127.0.0.1", SslMode::VerifyFull, Some("ca.crt"))).await.is_err(), "the name matters");
        assert!(ssl(at("localhost", SslMode::VerifyFull, Some("ca.crt"))).await.unwrap());
        assert!(ssl(at("localhost", SslMode::VerifyFull, Some("other.crt"))).await.is_err());
        assert!(ssl(at("localhost", SslMode::VerifyFull, Some("system"))).await.is_err());
        let socket = server.directory.to_str().unwrap().to_owned();
        assert!(
            !ssl(at(&socket, SslMode::VerifyFull, Some("ca.crt"))).await.unwrap(),
            "sockets are never encrypted"
        );
        // Channel binding over TLS, and the password right.
        let tls = as_user(at("localhost", SslMode::VerifyFull, Some("ca.crt")), "tls", Some("sécret"));
        assert_eq!(log_in(tls.clone()).await.unwrap().text(0, 0), "tls");
        assert!(log_in(Config { sslmode: SslMode::Disable, ..tls }).await.is_err(), "hostssl only");
        // Allow falls back to TLS where a plain connection is refused, Prefer to a plain one.
        let allowed = as_user(at("127.0.0.1", SslMode::Allow, None), "tls", Some("sécret"));
        assert_eq!(log_in(allowed).await.unwrap().text(0, 0), "tls");
        let preferred = as_user(at("127.0.0.1", SslMode::Prefer, None), "scram_sha_256", Some("sécret"));
        assert_eq!(log_in(preferred).await.unwrap().text(0, 0), "scram_sha_256");
        let certified = Config {
            sslcert: path("client.crt"),
            sslkey: path("client.key"),
            ..as_user(at("localhost", SslMode::Require, None), "certified", None)
        };
        assert_eq!(log_in(certified.clone()).await.unwrap().text(0, 0), "certified");
        assert!(log_in(Config { sslcert: None, sslkey: None, ..certified }).await.is_err());
    });
}

#[test]
fn much_data_and_cancellation_pass_through_tls() {
    let Some(server) = encrypted_server() else { return };
    run(async {
        let config =
            Config { sslmode: SslMode::Require, max_connections: 1, ..server.config_at("127.0.0.1") };
        let pool = Pool::new(config).unwrap();
        let rows = sql(&pool, "SELECT repeat('x', 1000) FROM generate_series(1, 20000)").await.unwrap();
        assert_eq!(rows.cells.len(), 20_000);
        let long = Value::Text("y".repeat(5_000_000));
        let length = Statement::new("SELECT length($1)", &[BindType::Text]);
        let rows = pool.fetch(&length, &[long], Rows::default()).await.unwrap();
        assert_eq!(rows.int4(0, 0), 5_000_000);
        let sleep = Statement::new("SELECT pg_sleep(30)", &[]);
        let limit = std::time::Duration::from_millis(100);
        assert!(matches!(pool.fetch_within(limit, &sleep, &[], Rows::default()).await, Err(Error::Timeout)));
        assert_eq!(sql(&pool, "SELECT 1").await.unwrap().int4(0, 0), 1, "the same connection is free again");
        assert_eq!((pool.stats().opened, pool.stats().broken), (1, 0));
    });
}

#[test]
fn pgbouncer_in_transaction_mode() {
    let Some(bouncer) = program("pgbouncer") else {
        eprintln!("SKIPPED: no pgbouncer");
        return;
    };
    let Some(server) = Server::start("") else { return };
    let place = server.directory.display().to_string();
    let port = free_port();
    server.write("users", "\"postgres\" \"\"\n");
    server.write(
        "bouncer.ini",
        &format!(
            "[databases]\npostgres = host={place} port={} user=postgres dbname=postgres\n[pgbouncer]\nlisten_addr=127.0.0.1\nlisten_port={port}\n\
             unix_socket_dir=\nauth_type=any\nauth_file={place}/users\npool_mode=transaction\ndefault_pool_size=2\n\
             ignore_startup_parameters=options\nserver_reset_query=\n",
            server.port
        ),
    );
    let mut process = server
        .command(bouncer.to_str().unwrap())
        .args(["-q", "bouncer.ini"])
        .stderr(std::process::Stdio::null())
        .spawn()
        .unwrap();
    let config = Config {
        hosts: vec![Host { host: "127.0.0.1".to_owned(), port }],
        sslmode: SslMode::Disable,
        statement_cache_size: 0,
        pack: 1,
        ..server.config()
    };
    run(async {
        let deadline = std::time::Instant::now() + std::time::Duration::from_secs(10);
        while let Err(error) = log_in(config.clone()).await {
            assert!(std::time::Instant::now() < deadline, "{error}");
            tokio::time::sleep(std::time::Duration::from_millis(50)).await;
        }
        let pool = Pool::new(config).unwrap();
        let statement = std::rc::Rc::new(Statement::new(
            "SELECT $1 + 1, repeat('x', $2)",
            &[BindType::Int, BindType::Infer],
        ));
        let tasks: Vec<_> = (0..500)
            .map(|n| {
                let (pool, statement) = (pool.clone(), std::rc::Rc::clone(&statement));
                tokio::task::spawn_local(async move {
                    let rows = pool
                        .fetch(&statement, &[Value::Int(n), Value::Int(n)], Rows::default())
                        .await
                        .unwrap();
                    assert_eq!((rows.int8(0, 0), rows.text(0, 1).len()), (n + 1, n as usize));
                })
            })
            .collect();
        for task in tasks {
            task.await.unwrap();
        }
        assert!(pool.stats().open > 1);
        pool.close(std::time::Duration::from_secs(1)).await;
    });
    process.kill().unwrap();
    process.wait().unwrap();
}
