//! A server of its own for the routes: on an address or a Unix socket, with limits, and gone in order.

use std::net::{SocketAddr, TcpListener};
use std::path::PathBuf;
use std::time::Duration;

use actix_web::dev::ServerHandle;
use actix_web::{App, HttpServer};
use tokio::task::JoinHandle;

use super::{Front, routes};
use crate::net::own_names;

/// Where a server listens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Listen {
    /// At an address.
    Address(SocketAddr),
    /// At a socket in the file system, which its owner alone may use.
    Socket(PathBuf),
}

/// What clients may take.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Connections at one time.
    pub connections: usize,
    /// A request whose head is not here by then will not come.
    pub head: Duration,
    /// How long requests under way are waited for at the end.
    pub grace: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self { connections: 4096, head: Duration::from_secs(5), grace: Duration::from_secs(5) }
    }
}

/// Why nothing is served.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// The address cannot be had.
    #[error("serve.listen: {address}: {error}; choose another port, or end what listens there")]
    Address {
        /// The address.
        address: SocketAddr,
        /// What the system says.
        error: std::io::Error,
    },
    /// The socket cannot be had.
    #[error("serve.listen: {}: {error}", .path.display())]
    Socket {
        /// The socket's file.
        path: PathBuf,
        /// What the system says.
        error: std::io::Error,
    },
    /// The server cannot start.
    #[error("the server cannot start: {0}")]
    Start(#[from] std::io::Error),
}

/// One thread answers: handlers wait for the engine, and do little themselves.
const THREADS: usize = 1;
/// Requests on one connection that go on for longer than this between two of them have ended.
const KEEP_ALIVE: Duration = Duration::from_secs(30);

/// A server of the routes: what kind of listener it gets is the caller's.
macro_rules! server {
    ($front:expr, $limits:expr) => {{
        let (routes, limits) = (routes($front), $limits);
        HttpServer::new(move || App::new().configure(routes.clone()))
            .workers(THREADS)
            .max_connections(limits.connections)
            .client_request_timeout(limits.head)
            .client_disconnect_timeout(limits.head)
            .keep_alive(KEEP_ALIVE)
            .shutdown_timeout(limits.grace.as_secs())
            .disable_signals()
    }};
}

/// A running server.
#[derive(Debug)]
pub struct Server {
    handle: ServerHandle,
    task: JoinHandle<std::io::Result<()>>,
    address: Option<SocketAddr>,
    socket: Option<PathBuf>,
}

impl Server {
    /// Listens and serves from now on. Needs a tokio runtime; the requests are answered in a thread of the server's own.
    /// If [`Front::hosts`] is none and an address is listened on, the names of that address take its place.
    ///
    /// # Errors
    /// If the address or the socket cannot be had.
    pub fn start(listen: &Listen, mut front: Front, limits: Limits) -> Result<Self, ServeError> {
        match listen {
            Listen::Address(address) => {
                let refused = |error| ServeError::Address { address: *address, error };
                let listener = TcpListener::bind(address).map_err(refused)?;
                let address = listener.local_addr().map_err(refused)?;
                front.hosts.get_or_insert_with(Vec::new).extend(own_names(address));
                let served = server!(front, limits).listen(listener)?.run();
                Ok(Self {
                    handle: served.handle(),
                    task: tokio::spawn(served),
                    address: Some(address),
                    socket: None,
                })
            }
            Listen::Socket(path) => {
                front.hosts = None; // whoever may open it is let in
                let refused = |error| ServeError::Socket { path: path.clone(), error };
                let listener = socket(path).map_err(refused)?;
                let served = server!(front, limits).listen_uds(listener)?.run();
                let socket = Some(path.clone());
                Ok(Self { handle: served.handle(), task: tokio::spawn(served), address: None, socket })
            }
        }
    }

    /// The address that is listened on; none for a socket.
    pub fn address(&self) -> Option<SocketAddr> {
        self.address
    }

    /// Ends it: no new requests, those under way are answered within the grace.
    pub async fn stop(self) {
        self.handle.stop(true).await;
        if let Ok(Err(error)) = self.task.await {
            tracing::warn!(%error, "the server ended badly");
        }
        if let Some(socket) = self.socket {
            std::fs::remove_file(socket).ok(); // it may be gone already
        }
    }
}

/// A socket that its owner alone may use. One that nobody listens on any more is replaced.
fn socket(path: &std::path::Path) -> std::io::Result<std::os::unix::net::UnixListener> {
    use std::os::unix::fs::PermissionsExt as _;
    use std::os::unix::net::{UnixListener, UnixStream};
    if UnixStream::connect(path).is_ok() {
        return Err(std::io::Error::new(std::io::ErrorKind::AddrInUse, "somebody listens there already"));
    }
    if path
        .symlink_metadata()
        .is_ok_and(|found| std::os::unix::fs::FileTypeExt::is_socket(&found.file_type()))
    {
        std::fs::remove_file(path)?;
    }
    let listener = UnixListener::bind(path)?;
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o600))?;
    Ok(listener)
}
