//! A PostgreSQL of the test's own, to be restarted, locked and encrypted at will.

use std::fs;
use std::os::unix::fs::chown;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use plectrum_db::postgres::{Config, Host};

/// Runs until dropped; its directory goes with it.
pub struct Server {
    pub directory: PathBuf,
    pub port: u16,
    binaries: PathBuf,
    /// PostgreSQL refuses to run as root.
    owner: Option<(u32, u32)>,
    process: Option<Child>,
}

impl Server {
    /// Initializes and starts a server; `None` (after saying so) where PostgreSQL's binaries are not found in
    /// `PLECTRUM_TEST_PG_BIN` or `PATH`.
    pub fn start(settings: &str) -> Option<Self> {
        let Some(binaries) = binaries() else {
            eprintln!("SKIPPED: no initdb in PLECTRUM_TEST_PG_BIN or PATH");
            return None;
        };
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let directory = std::env::temp_dir().join(format!("plectrum-pg-{}-{number}", std::process::id()));
        fs::create_dir_all(&directory).unwrap();
        let owner = fs::metadata("/proc/self").ok().and_then(|_| unprivileged());
        if let Some((user, group)) = owner {
            chown(&directory, Some(user), Some(group)).unwrap();
        }
        let mut server = Self { directory, port: free_port(), binaries, owner, process: None };
        let made = server
            .command("initdb")
            .args(["--auth=trust", "--username=postgres", "--no-sync", "--encoding=UTF8", "--locale=C", "-D"])
            .arg(server.data())
            .output()
            .unwrap();
        assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
        server.write("data/postgresql.auto.conf", settings);
        server.resume();
        Some(server)
    }

    fn data(&self) -> PathBuf {
        self.directory.join("data")
    }

    /// Writes a file that belongs to the server.
    pub fn write(&self, name: &str, text: &str) {
        let path = self.directory.join(name);
        fs::write(&path, text).unwrap();
        if let Some((user, group)) = self.owner {
            chown(&path, Some(user), Some(group)).unwrap();
        }
    }

    pub fn command(&self, program: &str) -> Command {
        let mut command = Command::new(self.binaries.join(program));
        command.current_dir(&self.directory);
        if let Some((user, group)) = self.owner {
            command.uid(user).gid(group);
        }
        command
    }

    /// Starts the server and waits until it listens.
    pub fn resume(&mut self) {
        let log = fs::File::create(self.directory.join("log")).unwrap();
        let child = self
            .command("postgres")
            .arg("-D")
            .arg(self.data())
            .args(["-F", "-k"])
            .arg(&self.directory)
            .args(["-p", &self.port.to_string(), "-c", "listen_addresses=127.0.0.1"])
            .stdout(Stdio::null())
            .stderr(log)
            .spawn()
            .unwrap();
        self.process = Some(child);
        let pidfile = self.data().join("postmaster.pid");
        let deadline = Instant::now() + Duration::from_secs(30);
        while !fs::read_to_string(&pidfile).is_ok_and(|text| text.contains("ready")) {
            assert!(Instant::now() < deadline, "{}", self.log());
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    pub fn log(&self) -> String {
        fs::read_to_string(self.directory.join("log")).unwrap_or_default()
    }

    /// Ends the server and waits for it: `INT` is a fast shutdown, `QUIT` an immediate one.
    pub fn halt(&mut self, signal: &str) {
        if let Some(mut process) = self.process.take() {
            signal_process(&process, signal);
            process.wait().unwrap();
        }
    }

    pub fn reload(&self) {
        if let Some(process) = &self.process {
            signal_process(process, "HUP");
            std::thread::sleep(Duration::from_millis(200));
        }
    }

    /// Over the unix socket, as the superuser.
    pub fn config(&self) -> Config {
        self.config_at(self.directory.to_str().unwrap())
    }

    /// Over TCP or a unix socket.
    pub fn config_at(&self, host: &str) -> Config {
        Config {
            hosts: vec![Host { host: host.to_owned(), port: self.port }],
            user: "postgres".to_owned(),
            dbname: Some("postgres".to_owned()),
            ..Config::default()
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.halt("QUIT");
        let _ = fs::remove_dir_all(&self.directory);
    }
}

fn signal_process(process: &Child, signal: &str) {
    Command::new("kill").args([&format!("-{signal}"), &process.id().to_string()]).status().unwrap();
}

/// Where `initdb` and `postgres` are.
fn binaries() -> Option<PathBuf> {
    let paths = std::env::var_os("PLECTRUM_TEST_PG_BIN").into_iter().chain(std::env::var_os("PATH"));
    let mut directories: Vec<PathBuf> =
        paths.flat_map(|path| std::env::split_paths(&path).collect::<Vec<_>>()).collect();
    if let Ok(versions) = fs::read_dir("/usr/lib/postgresql") {
        directories.extend(versions.flatten().map(|version| version.path().join("bin")));
    }
    directories.into_iter().find(|path| path.join("initdb").exists() && path.join("postgres").exists())
}

/// Whether a program is on the `PATH`.
pub fn program(name: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path)
        .chain([Path::new("/usr/sbin").to_owned()])
        .map(|path| path.join(name))
        .find(|path| path.exists())
}

/// User and group to run as, when this is root.
fn unprivileged() -> Option<(u32, u32)> {
    let status = fs::read_to_string("/proc/self/status").ok()?;
    let me = status.lines().find_map(|line| line.strip_prefix("Uid:"))?.split_whitespace().next()?;
    if me != "0" {
        return None;
    }
    let users = fs::read_to_string("/etc/passwd").ok()?;
    ["postgres:", "nobody:"].iter().find_map(|name| {
        let mut fields = users.lines().find_map(|line| line.strip_prefix(name))?.split(':').skip(1);
        Some((fields.next()?.parse().ok()?, fields.next()?.parse().ok()?))
    })
}

pub fn free_port() -> u16 {
    std::net::TcpListener::bind(("127.0.0.1", 0)).unwrap().local_addr().unwrap().port()
}
