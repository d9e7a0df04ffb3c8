//! Sockets to accept from: TCP, unix, or inherited.

use std::fs;
use std::io::{self, ErrorKind};
use std::net::{SocketAddr, TcpListener};
use std::os::fd::{FromRawFd, OwnedFd};
use std::os::unix::fs::{FileTypeExt, PermissionsExt};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::Path;

use socket2::{Domain, Protocol, SockRef, Socket, Type};

/// The first inherited descriptor of systemd's socket activation.
const SYSTEMD_FIRST_FD: i32 = 3;

/// How to bind a TCP socket.
#[derive(Clone, Copy, Debug)]
pub struct TcpOptions {
    /// Connections the kernel may hold before they are accepted.
    pub backlog: i32,
    /// Let several processes bind the same address; the kernel spreads connections over them.
    pub reuse_port: bool,
}

impl Default for TcpOptions {
    fn default() -> Self {
        Self { backlog: 2048, reuse_port: true }
    }
}

/// A bound socket that is listening already. Can be made before the runtime, and inherited over a fork.
#[derive(Debug)]
pub struct Listener(pub(super) Kind);

#[derive(Debug)]
pub(super) enum Kind {
    Tcp(TcpListener),
    Unix(UnixListener),
}

impl Listener {
    /// Binds a TCP address. `[::]` accepts IPv4 too.
    ///
    /// # Errors
    /// Whatever the system refuses: the address in use, no permission.
    pub fn tcp(address: SocketAddr, options: TcpOptions) -> io::Result<Self> {
        let socket = Socket::new(Domain::for_address(address), Type::STREAM, Some(Protocol::TCP))?;
        if address.is_ipv6() {
            socket.set_only_v6(false)?;
        }
        socket.set_reuse_address(true)?;
        if options.reuse_port {
            socket.set_reuse_port(true)?;
        }
        socket.bind(&address.into())?;
        socket.listen(options.backlog)?;
        Self::from_tcp(socket.into())
    }

    /// Takes over a listening TCP socket.
    ///
    /// # Errors
    /// When its options cannot be set.
    pub fn from_tcp(listener: TcpListener) -> io::Result<Self> {
        // Accepted sockets inherit this, which saves a system call for each of them.
        SockRef::from(&listener).set_tcp_nodelay(true)?;
        listener.set_nonblocking(true)?;
        Ok(Self(Kind::Tcp(listener)))
    }

    /// Binds a unix socket, replacing one that nobody listens on any more.
    ///
    /// # Errors
    /// [`ErrorKind::AddrInUse`] when somebody still listens there or the path is not a socket.
    pub fn unix(path: &Path, mode: Option<u32>) -> io::Result<Self> {
        remove_stale(path)?;
        let listener = UnixListener::bind(path)?;
        if let Some(mode) = mode {
            fs::set_permissions(path, fs::Permissions::from_mode(mode))?;
        }
        listener.set_nonblocking(true)?;
        Ok(Self(Kind::Unix(listener)))
    }

    /// Takes over a listening socket of either kind.
    ///
    /// # Errors
    /// When the descriptor is not a listening stream socket of a known family.
    pub fn from_fd(fd: OwnedFd) -> io::Result<Self> {
        let socket = Socket::from(fd);
        if !socket.is_listener()? {
            return Err(io::Error::new(
                ErrorKind::InvalidInput,
                "inherited descriptor is not a listening socket",
            ));
        }
        let address = socket.local_addr()?;
        if address.is_unix() {
            socket.set_nonblocking(true)?;
            return Ok(Self(Kind::Unix(OwnedFd::from(socket).into())));
        }
        if address.as_socket().is_none() {
            return Err(io::Error::new(ErrorKind::InvalidInput, "inherited socket is neither TCP nor unix"));
        }
        Self::from_tcp(socket.into())
    }

    /// The sockets that systemd passed to this process (`LISTEN_FDS`); none when it was not activated that way.
    ///
    /// # Errors
    /// When a passed descriptor is not a usable socket.
    ///
    /// # Safety
    /// To be called once, before anything else of this process uses descriptors 3 and up.
    pub unsafe fn systemd() -> io::Result<Vec<Self>> {
        let variable = |name| std::env::var(name).ok().and_then(|text| text.parse::<u32>().ok());
        if variable("LISTEN_PID") != Some(std::process::id()) {
            return Ok(Vec::new());
        }
        let count = i32::try_from(variable("LISTEN_FDS").unwrap_or(0)).unwrap_or(0);
        (SYSTEMD_FIRST_FD..SYSTEMD_FIRST_FD.saturating_add(count))
            // SAFETY: sd_listen_fds(3) passes these descriptors to this process, and the caller vouches that
            // nobody has taken them before.
            .map(|fd| Self::from_fd(unsafe { OwnedFd::from_raw_fd(fd) }))
            .collect()
    }

    /// A second handle to the same socket, for another worker.
    ///
    /// # Errors
    /// When the process is out of descriptors.
    pub fn try_clone(&self) -> io::Result<Self> {
        Ok(Self(match &self.0 {
            Kind::Tcp(listener) => Kind::Tcp(listener.try_clone()?),
            Kind::Unix(listener) => Kind::Unix(listener.try_clone()?),
        }))
    }

    /// The bound TCP address; `None` for a unix socket.
    #[must_use]
    pub fn address(&self) -> Option<SocketAddr> {
        match &self.0 {
            Kind::Tcp(listener) => listener.local_addr().ok(),
            Kind::Unix(_) => None,
        }
    }
}

fn remove_stale(path: &Path) -> io::Result<()> {
    let Ok(metadata) = fs::symlink_metadata(path) else { return Ok(()) };
    let in_use = |why: &str| Err(io::Error::new(ErrorKind::AddrInUse, format!("{} {why}", path.display())));
    if !metadata.file_type().is_socket() {
        return in_use("exists and is not a socket: remove it or choose another path");
    }
    if UnixStream::connect(path).is_ok() {
        return in_use("is served by another process");
    }
    fs::remove_file(path)
}
