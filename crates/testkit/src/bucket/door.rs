//! The HTTP door in front of an in-process server: one thread, one port, and the faults.

use std::fmt;
use std::future::Future;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::mpsc::{Sender, channel};
use std::task::{Context, Poll};
use std::thread::JoinHandle;
use std::time::Duration;

use bytes::Bytes;
use http::{Method, Request, Response};
use http_body_util::{BodyExt, Limited};
use hyper::body::{Body, Frame, Incoming, SizeHint};
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::net::TcpListener;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::task::JoinSet;

use super::faults::{Fault, Faults};
use crate::must::Must;
use crate::wait;

/// The largest body that is taken, in bytes.
const MAX_BODY: usize = 256 << 20;

/// How long the thread may take to follow an order.
const ORDER: Duration = Duration::from_secs(20);

pub(super) type Answering = Pin<Box<dyn Future<Output = Response<Bytes>> + Send>>;

/// A server behind the door: a whole request in, a whole answer out.
pub(super) trait Service: Send + Sync + 'static {
    fn answer(&self, request: Request<Bytes>) -> Answering;
}

enum Order {
    Up,
    Down,
}

/// An address on loopback where a server answers. It closes with its owner.
pub struct Door {
    address: SocketAddr,
    faults: Faults,
    orders: Option<UnboundedSender<(Order, Sender<()>)>>,
    thread: Option<JoinHandle<()>>,
}

impl Door {
    pub(super) fn open(service: impl Service) -> Self {
        let faults = Faults::default();
        let (orders, received) = unbounded_channel();
        let (opened, address) = channel();
        let keeper = Keeper { service: Arc::new(service), faults: faults.clone() };
        let thread = std::thread::Builder::new()
            .name("bucket".to_owned())
            .spawn(move || keeper.run(received, &opened))
            .must("start the server's thread");
        let address = address.recv_timeout(ORDER).must("learn the server's address");
        Self { address, faults, orders: Some(orders), thread: Some(thread) }
    }

    /// The address as a URL, without a slash at the end.
    pub fn endpoint(&self) -> String {
        format!("http://{}", self.address)
    }

    /// What the server does wrong.
    pub fn faults(&self) -> &Faults {
        &self.faults
    }

    /// Ends all connections and refuses new ones. What is stored stays.
    pub fn down(&self) {
        self.order(Order::Down);
    }

    /// Answers again, at the same address.
    pub fn up(&self) {
        self.order(Order::Up);
    }

    fn order(&self, order: Order) {
        let (done, wait) = channel();
        let sent = self.orders.as_ref().map(|orders| orders.send((order, done)).is_ok());
        assert_eq!(sent, Some(true), "the server's thread is there");
        wait.recv_timeout(ORDER).must("see the server follow an order");
    }
}

impl Drop for Door {
    fn drop(&mut self) {
        self.orders = None;
        if let Some(thread) = self.thread.take() {
            // Nothing may panic here: the test may be failing already.
            let _ = thread.join();
        }
    }
}

impl fmt::Debug for Door {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Door({})", self.address)
    }
}

/// The thread's side.
struct Keeper {
    service: Arc<dyn Service>,
    faults: Faults,
}

impl Keeper {
    fn run(self, orders: UnboundedReceiver<(Order, Sender<()>)>, opened: &Sender<SocketAddr>) {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .must("start the server's runtime");
        runtime.block_on(self.keep(orders, opened));
        // Work that blocks, such as that of a file, is not waited for.
        runtime.shutdown_background();
    }

    async fn keep(
        self,
        mut orders: UnboundedReceiver<(Order, Sender<()>)>,
        opened: &Sender<SocketAddr>,
    ) {
        let any = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
        let first = TcpListener::bind(any).await.must("listen on loopback");
        let address = first.local_addr().must("learn the port");
        let _ = opened.send(address);
        let mut listener = Some(first);
        let mut connections = JoinSet::new();
        loop {
            tokio::select! {
                order = orders.recv() => {
                    let Some((order, done)) = order else { return };
                    match order {
                        Order::Down => {
                            listener = None;
                            connections.shutdown().await;
                        }
                        Order::Up if listener.is_none() => listener = Some(listen(address)),
                        Order::Up => {}
                    }
                    let _ = done.send(());
                }
                accepted = accept(listener.as_ref()) => {
                    if let Ok(stream) = accepted {
                        let (service, faults) = (self.service.clone(), self.faults.clone());
                        connections.spawn(serve(stream, service, faults));
                    }
                }
            }
        }
    }
}

/// The same port again; another program may hold it for a moment.
fn listen(address: SocketAddr) -> TcpListener {
    let listener = wait::until("the server's port to be free again", || {
        let listener = std::net::TcpListener::bind(address).ok()?;
        listener.set_nonblocking(true).ok()?;
        Some(listener)
    });
    TcpListener::from_std(listener).must("listen on the same port again")
}

async fn accept(listener: Option<&TcpListener>) -> io::Result<tokio::net::TcpStream> {
    match listener {
        Some(listener) => listener.accept().await.map(|(stream, _)| stream),
        None => std::future::pending().await,
    }
}

async fn serve(stream: tokio::net::TcpStream, service: Arc<dyn Service>, faults: Faults) {
    let answer = service_fn(move |request| {
        let (service, faults) = (service.clone(), faults.clone());
        async move { respond(request, &*service, &faults).await }
    });
    // An error here is a client that went away, or a connection that was to be cut.
    let _ = hyper::server::conn::http1::Builder::new()
        .serve_connection(TokioIo::new(stream), answer)
        .await;
}

/// An error cuts the connection.
async fn respond(
    request: Request<Incoming>,
    service: &dyn Service,
    faults: &Faults,
) -> io::Result<Response<Sent>> {
    let cut = || io::Error::other("cut on purpose");
    let target = request.uri().path_and_query().map(ToString::to_string).unwrap_or_default();
    let fault = faults.of(request.method(), &target);
    let is_head = request.method() == Method::HEAD;
    let (parts, body) = request.into_parts();
    let body = Limited::new(body, MAX_BODY).collect().await.map_err(io::Error::other)?;
    let request = Request::from_parts(parts, body.to_bytes());
    match fault {
        Some(Fault::Cut) => return Err(cut()),
        Some(Fault::Silence) => std::future::pending::<()>().await,
        Some(Fault::Delay(time)) => tokio::time::sleep(time).await,
        Some(Fault::Status(status)) => return Ok(error(status, None)),
        Some(Fault::Error(status, code)) => return Ok(error(status, Some(code))),
        Some(Fault::LoseAnswer | Fault::HalfAnswer) | None => {}
    }
    let answer = service.answer(request).await;
    match fault {
        Some(Fault::LoseAnswer) => Err(cut()),
        Some(Fault::HalfAnswer) if !is_head => Ok(half(answer)),
        _ => Ok(answer.map(Sent::whole)),
    }
}

fn error(status: u16, code: Option<&str>) -> Response<Sent> {
    let text = code.map(|code| {
        format!(
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Error><Code>{code}</Code>\
             <Message>As the test wants it.</Message></Error>"
        )
    });
    let mut response = Response::new(Sent::whole(text.unwrap_or_default().into()));
    *response.status_mut() = status.try_into().must("use a status");
    response
}

fn half(answer: Response<Bytes>) -> Response<Sent> {
    let (mut parts, body) = answer.into_parts();
    parts.headers.remove(http::header::CONTENT_LENGTH);
    let left = body.slice(..body.len() / 2);
    Response::from_parts(parts, Sent { announced: body.len() as u64, left: Some(left) })
}

/// A body that announces a length and may break off before.
struct Sent {
    announced: u64,
    left: Option<Bytes>,
}

impl Sent {
    fn whole(body: Bytes) -> Self {
        Self { announced: body.len() as u64, left: Some(body) }
    }
}

impl Body for Sent {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<io::Result<Frame<Bytes>>>> {
        let next = match self.left.take() {
            Some(bytes) => {
                self.announced -= bytes.len() as u64;
                Some(Ok(Frame::data(bytes)))
            }
            None if self.announced > 0 => Some(Err(io::Error::other("broken off on purpose"))),
            None => None,
        };
        Poll::Ready(next)
    }

    fn is_end_stream(&self) -> bool {
        self.announced == 0
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.announced)
    }
}
