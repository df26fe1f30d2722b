//! The sockets of status and metrics: on this machine only, few connections, none for long.
//!
//! Invariant: recording never depends on them. A socket that cannot be opened is said and done
//! without; a client that is slow is cut off.

use std::io;
use std::os::unix::fs::{DirBuilderExt as _, FileTypeExt as _, PermissionsExt as _};
use std::os::unix::net::UnixListener as StdUnixListener;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use rustix::fs::Mode;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::{TcpListener, UnixListener};
use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};

use super::board::Board;
use super::{metrics, status};
use crate::config::{Config, Listen};
use crate::failure;
use crate::talk::say;

/// How many clients of one socket are served at a time; more wait.
const CLIENTS: usize = 8;

/// How long one client may take.
const PATIENCE: Duration = Duration::from_secs(5);

/// The longest request that is read.
const MAX_REQUEST: usize = 8 << 10;

/// The pause after an accept that failed, so that a lack of descriptors is no busy loop.
const AFTER_FAILURE: Duration = Duration::from_millis(100);

/// Sockets that are open, before there is a runtime.
#[derive(Debug)]
pub(super) struct Listeners {
    status: Option<Socket>,
    metrics: Option<Socket>,
}

#[derive(Debug)]
enum Socket {
    Tcp(std::net::TcpListener),
    Unix(BoundSocket),
}

/// A socket in the file system that only its owner can connect to, unless a group is admitted; its
/// name goes with it.
#[derive(Debug)]
pub(super) struct BoundSocket {
    /// Does not block.
    pub(super) listener: StdUnixListener,
    file: SocketFile,
}

/// A socket's name in the file system; it goes with the service.
#[derive(Debug)]
struct SocketFile(PathBuf);

impl Drop for SocketFile {
    fn drop(&mut self) {
        let _ = fs_err::remove_file(&self.0);
    }
}

#[derive(Clone, Copy)]
enum Page {
    Status,
    Metrics,
}

impl Listeners {
    /// Opens what is configured, and says what cannot be opened.
    pub(super) fn bind(config: &Config) -> Self {
        let status = Listen::Unix(config.socket.clone());
        let metrics = config.metrics.as_ref();
        Self {
            status: or_without("status", &status),
            metrics: metrics.and_then(|at| or_without("metrics", at)),
        }
    }

    /// Serves until what is returned is dropped.
    pub(super) fn serve(self, board: &Arc<Board>) -> Servers {
        let mut servers = Servers { tasks: JoinSet::new(), _files: vec![] };
        for (socket, page) in [(self.status, Page::Status), (self.metrics, Page::Metrics)] {
            let Some(socket) = socket else { continue };
            let board = Arc::clone(board);
            let served = match socket {
                Socket::Tcp(listener) => TcpListener::from_std(listener).map(|listener| {
                    servers.tasks.spawn(serve_tcp(listener, page, board));
                }),
                Socket::Unix(BoundSocket { listener, file }) => {
                    servers._files.push(file);
                    UnixListener::from_std(listener).map(|listener| {
                        servers.tasks.spawn(serve_unix(listener, page, board));
                    })
                }
            };
            if let Err(error) = served {
                say(format_args!("a socket cannot be served: {}", failure::reason(&error)));
            }
        }
        servers
    }
}

/// The servers; they end with this.
pub(super) struct Servers {
    tasks: JoinSet<()>,
    _files: Vec<SocketFile>,
}

fn or_without(what: &str, at: &Listen) -> Option<Socket> {
    let opened = match at {
        Listen::Tcp(address) => std::net::TcpListener::bind(address).map(Socket::Tcp),
        Listen::Unix(path) => BoundSocket::bind(path).map(Socket::Unix),
    };
    let nonblocking = opened.and_then(|socket| {
        match &socket {
            Socket::Tcp(listener) => listener.set_nonblocking(true)?,
            Socket::Unix(_) => {}
        }
        Ok(socket)
    });
    match nonblocking {
        Ok(socket) => Some(socket),
        Err(error) => {
            let reason = failure::reason(&error);
            say(format_args!("{what}: cannot listen at {at}: {reason}; going on without"));
            None
        }
    }
}

impl BoundSocket {
    /// Opens it. One that nobody listens at any more is replaced.
    pub(super) fn bind(path: &Path) -> io::Result<Self> {
        if let Some(parent) = path.parent() {
            // Others may pass through, to sockets that let them in.
            std::fs::DirBuilder::new().recursive(true).mode(0o711).create(parent)?;
        }
        let meta = std::fs::symlink_metadata(path);
        if meta.is_ok_and(|meta| meta.file_type().is_socket()) {
            match std::os::unix::net::UnixStream::connect(path) {
                Ok(_) => return Err(io::Error::other("another service answers there")),
                Err(_) => std::fs::remove_file(path)?,
            }
        }
        // The mode has to be right from the first moment on. No other thread makes files yet.
        let before = rustix::process::umask(Mode::from_raw_mode(0o177));
        let bound = StdUnixListener::bind(path);
        rustix::process::umask(before);
        let (listener, file) = (bound?, SocketFile(path.to_owned()));
        listener.set_nonblocking(true)?;
        Ok(Self { listener, file })
    }

    /// Lets a group connect too.
    pub(super) fn admit(&self, group: u32) -> io::Result<()> {
        let path = &self.file.0;
        std::os::unix::fs::chown(path, None, Some(group))?;
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o660))
    }
}

async fn serve_tcp(listener: TcpListener, page: Page, board: Arc<Board>) {
    let mut clients = Clients::new(page, board);
    loop {
        let turn = clients.turn().await;
        match listener.accept().await {
            Ok((stream, _)) => clients.take(stream, turn),
            Err(_) => sleep(AFTER_FAILURE).await,
        }
    }
}

async fn serve_unix(listener: UnixListener, page: Page, board: Arc<Board>) {
    let mut clients = Clients::new(page, board);
    loop {
        let turn = clients.turn().await;
        match listener.accept().await {
            Ok((stream, _)) => clients.take(stream, turn),
            Err(_) => sleep(AFTER_FAILURE).await,
        }
    }
}

/// The clients of one socket.
struct Clients {
    page: Page,
    board: Arc<Board>,
    turns: Arc<Semaphore>,
    tasks: JoinSet<()>,
}

type Turn = Option<tokio::sync::OwnedSemaphorePermit>;

impl Clients {
    fn new(page: Page, board: Arc<Board>) -> Self {
        Self { page, board, turns: Arc::new(Semaphore::new(CLIENTS)), tasks: JoinSet::new() }
    }

    async fn turn(&self) -> Turn {
        Arc::clone(&self.turns).acquire_owned().await.ok()
    }

    fn take<S>(&mut self, stream: S, turn: Turn)
    where
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        while self.tasks.try_join_next().is_some() {}
        let (page, board) = (self.page, Arc::clone(&self.board));
        self.tasks.spawn(async move {
            // A client that goes away or is too slow has lost its answer, and nobody else.
            let _ = timeout(PATIENCE, answer(stream, page, &board)).await;
            drop(turn);
        });
    }
}

async fn answer<S: AsyncRead + AsyncWrite + Unpin>(
    mut stream: S,
    page: Page,
    board: &Board,
) -> io::Result<()> {
    let text = match page {
        // Whoever can connect may know; nothing needs to be asked.
        Page::Status => status::Status::of(board).to_json(),
        Page::Metrics => {
            let head = read_head(&mut stream).await?;
            http(&head, || metrics::text(&status::Status::of(board)))
        }
    };
    stream.write_all(text.as_bytes()).await?;
    stream.shutdown().await
}

/// The request up to its empty line.
async fn read_head<S: AsyncRead + Unpin>(stream: &mut S) -> io::Result<Vec<u8>> {
    let mut head = Vec::with_capacity(512);
    while head.len() < MAX_REQUEST {
        let is_whole = head.windows(4).any(|window| window == b"\r\n\r\n");
        if is_whole || head.windows(2).any(|window| window == b"\n\n") {
            break;
        }
        if stream.read_buf(&mut head).await? == 0 {
            break;
        }
    }
    Ok(head)
}

/// An answer of HTTP/1.0: one page, and the connection ends.
fn http(head: &[u8], page: impl FnOnce() -> String) -> String {
    let line = head.split(|byte| *byte == b'\n').next().unwrap_or_default();
    let line = String::from_utf8_lossy(line);
    let mut words = line.split_whitespace();
    let (method, target) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
    let path = target.split('?').next().unwrap_or_default();
    let (status, body) = match (method, path) {
        ("GET" | "HEAD", "/metrics" | "/") => ("200 OK", page()),
        ("GET" | "HEAD", _) => ("404 Not Found", "the metrics are at /metrics\n".to_owned()),
        _ => ("405 Method Not Allowed", "only GET is known\n".to_owned()),
    };
    let length = body.len();
    let body = if method == "HEAD" { String::new() } else { body };
    format!(
        "HTTP/1.0 {status}\r\nContent-Type: text/plain; version=0.0.4; charset=utf-8\r\n\
         Content-Length: {length}\r\nConnection: close\r\n\r\n{body}"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(request: &str, status: &str, body: &str) {
        let answer = http(request.as_bytes(), || "page\n".to_owned());
        let (head, found) = answer.split_once("\r\n\r\n").unwrap();
        assert!(head.starts_with(&format!("HTTP/1.0 {status}\r\n")), "{answer}");
        assert_eq!(found, body, "{answer}");
    }

    #[test]
    fn only_the_page_of_the_metrics_is_there() {
        check("GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n", "200 OK", "page\n");
        check("GET /metrics?x=y HTTP/1.0\r\n\r\n", "200 OK", "page\n");
        check("HEAD /metrics HTTP/1.1\r\n\r\n", "200 OK", "");
        check("GET /other HTTP/1.1\r\n\r\n", "404 Not Found", "the metrics are at /metrics\n");
        check("POST /metrics HTTP/1.1\r\n\r\n", "405 Method Not Allowed", "only GET is known\n");
        check("", "405 Method Not Allowed", "only GET is known\n");
        check("\u{0}\u{1}\r\n\r\n", "405 Method Not Allowed", "only GET is known\n");
    }
}
