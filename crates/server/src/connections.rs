//! Connections: taking them, bounding them, and letting them finish at the end.

mod bounds;
mod networks;
mod turns;

use std::convert::Infallible;
use std::io;
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use api::{Edge, Peer};
use axum::body::Body;
use hyper::body::Incoming;
use hyper::server::conn::{http1, http2};
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::sync::{Semaphore, watch};
use tokio::task::JoinHandle;

pub use bounds::Bounds;
pub use networks::Networks;
use turns::{Answer, Turns};

/// Connections at once; more wait in the system's queue.
const MOST: u32 = 20_000;
/// Connections that the system holds until they are taken; it may allow fewer (`net.core.somaxconn`). After a restart
/// all streams come back at once, and one that finds no room tries again after a second only.
const WAITING: u32 = 4096;
/// Bytes that are held for a connection of HTTP/1 in each direction, the head of a request among them.
const HELD: usize = 64 * 1024;
/// The same for a connection of HTTP/2, which has several requests.
const HELD_IN_ALL: u32 = 256 * 1024;
/// For a client of HTTP/2 to take the news that its connection ends, and for one of HTTP/1 to take the end of an answer.
const FAREWELL: Duration = Duration::from_secs(1);
/// Bytes that the system takes ahead of what the client has received.
#[cfg(target_os = "linux")]
const UNSENT: u32 = 64 * 1024;
/// A client that acknowledges nothing for so long is gone: without this a stream would learn of it in a quarter
/// of an hour.
#[cfg(target_os = "linux")]
const UNACKNOWLEDGED: Duration = Duration::from_secs(60);

/// How long connections that are cut may take to go.
const CUT_WITHIN: Duration = Duration::from_secs(1);

/// How far the server is with stopping.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Phase {
    Serving,
    /// Requests at work finish, and no others begin.
    Stopping,
    /// What did not finish in time is dropped.
    Cut,
}

pub struct Connections {
    phase: watch::Sender<Phase>,
    accepting: JoinHandle<()>,
    /// A permit for each connection there may be: all of them are back when none is left.
    places: Arc<Semaphore>,
}

/// Takes a port. `SO_REUSEADDR`, so that a server that was stopped can start again at once.
pub fn listen(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = if address.is_ipv4() { TcpSocket::new_v4()? } else { TcpSocket::new_v6()? };
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    socket.listen(WAITING)
}

/// Takes connections until [`Connections::drain`].
pub fn serve(listener: TcpListener, edge: Edge, bounds: Bounds, networks: Networks) -> Connections {
    let (phase, phases) = watch::channel(Phase::Serving);
    let places = Arc::new(Semaphore::new(MOST as usize));
    let accepting = tokio::spawn(accept(listener, edge, bounds, Arc::new(networks), places.clone(), phases));
    Connections { phase, accepting, places }
}

impl Connections {
    /// Takes no more, waits for those at work to finish their answers, and cuts those that do not in time.
    pub async fn drain(&mut self, patience: Duration) {
        self.phase.send_replace(Phase::Stopping);
        // It ends by itself; had it panicked, the connections it took would be waited for all the same.
        let _ = (&mut self.accepting).await;
        if tokio::time::timeout(patience, self.places.acquire_many(MOST)).await.is_err() {
            tracing::warn!("some connections did not finish in time and are cut");
            self.phase.send_replace(Phase::Cut);
            // They end where they next wait, and each holds a place until then.
            let _ = tokio::time::timeout(CUT_WITHIN, self.places.acquire_many(MOST)).await;
        }
    }
}

/// Serves a connection to its end. A server that stops lets the request at work finish for a while, and takes no other; a
/// client that does nothing is told so, and cut off.
macro_rules! serve {
    ($connection:expr, $stopping:ident, $turns:ident, $bounds:ident) => {{
        let mut connection = pin!($connection);
        tokio::select! {
            ended = connection.as_mut() => ended,
            () = reached(&mut $stopping, Phase::Stopping) => {
                connection.as_mut().graceful_shutdown();
                tokio::select! {
                    ended = connection => ended,
                    () = reached(&mut $stopping, Phase::Cut) => Ok(()),
                }
            }
            () = $turns.waited($bounds.client) => {
                connection.as_mut().graceful_shutdown();
                tokio::select! {
                    ended = connection => ended,
                    () = $turns.waited(FAREWELL.min($bounds.client)) => Ok(()),
                }
            }
        }
    }};
}

/// Asks the system for what suits short answers and long streams. A system that cannot serves all the same.
fn tune(stream: &TcpStream) {
    // Answers are written whole; waiting to fill a packet only delays them.
    let _ = stream.set_nodelay(true);
    #[cfg(target_os = "linux")]
    {
        let socket = socket2::SockRef::from(stream);
        // Without this the system takes megabytes for a client that reads nothing, and a stream cannot know.
        let _ = socket.set_tcp_notsent_lowat(UNSENT);
        let _ = socket.set_tcp_user_timeout(Some(UNACKNOWLEDGED));
    }
}

/// Returns when the server is so far.
async fn reached(phases: &mut watch::Receiver<Phase>, phase: Phase) {
    // An error means that whoever could say so is gone, which is as good.
    let _ = phases.wait_for(|reached| *reached >= phase).await;
}

async fn accept(
    listener: TcpListener,
    edge: Edge,
    bounds: Bounds,
    networks: Arc<Networks>,
    places: Arc<Semaphore>,
    mut phases: watch::Receiver<Phase>,
) {
    // What a client speaks is told apart by looking, not by hyper's own builder for both: that reads the first bytes
    // into a buffer of its own, and doubles the one that every open stream then holds.
    let mut http1 = http1::Builder::new();
    http1.timer(TokioTimer::new()).header_read_timeout(bounds.head).max_buf_size(HELD);
    let mut http2 = http2::Builder::new(TokioExecutor::new());
    http2.timer(TokioTimer::new()).max_concurrent_streams(200).keep_alive_interval(Duration::from_secs(30));
    http2.max_send_buf_size(HELD).initial_connection_window_size(HELD_IN_ALL);
    loop {
        let Ok(place) = places.clone().acquire_owned().await else { return };
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            () = reached(&mut phases, Phase::Stopping) => return,
        };
        let (stream, peer) = match accepted {
            Ok(accepted) => accepted,
            Err(error) => {
                // Out of file descriptors, most likely: connections that end will free some.
                tracing::warn!(%error, "a connection could not be taken");
                tokio::time::sleep(Duration::from_millis(50)).await;
                continue;
            }
        };
        let Some(seat) = networks.seat(peer.ip()) else {
            // Closed at once, so that it costs a network nothing to have too many, and others no place.
            tracing::debug!(%peer, "a network has too many connections");
            continue;
        };
        tune(&stream);
        let edge = edge.clone();
        let turns = Turns::begin();
        let taking = turns.clone();
        let service = hyper::service::service_fn(move |request: hyper::Request<Incoming>| {
            let mut request = request.map(Body::new);
            request.extensions_mut().insert(Peer(peer));
            let edge = edge.clone();
            let turn = taking.take();
            // Boxed, so that it goes with its answer: hyper keeps the room for it as long as the connection, and an
            // open stream needs none.
            Box::pin(async move {
                let answer = edge.answer(request).await;
                Ok::<_, Infallible>(answer.map(|body| Answer::new(body, turn)))
            })
        });
        let mut stopping = phases.clone();
        let (http1, http2) = (http1.clone(), http2.clone());
        tokio::spawn(async move {
            // hyper's clock starts with the first byte, so a silent client is cut here.
            let spoken = tokio::select! {
                spoken = tokio::time::timeout(bounds.head, speaks(&stream)) => spoken.ok().flatten(),
                () = reached(&mut stopping, Phase::Stopping) => None,
            };
            let io = TokioIo::new;
            let ended = match spoken {
                None => return,
                Some(Protocol::Http1) => {
                    serve!(
                        http1.serve_connection(io(stream), service).with_upgrades(),
                        stopping,
                        turns,
                        bounds
                    )
                }
                // Boxed, so that its size is not that of every task.
                Some(Protocol::Http2) => {
                    Box::pin(async {
                        serve!(http2.serve_connection(io(stream), service), stopping, turns, bounds)
                    })
                    .await
                }
            };
            if let Err(error) = ended {
                tracing::debug!(%error, "a connection ended early");
            }
            drop((place, seat));
        });
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Protocol {
    Http1,
    Http2,
}

/// No method of HTTP/1 begins like the preface of HTTP/2.
const PREFACE: &[u8; 4] = b"PRI ";

/// Looks at the first bytes and leaves them where they are. `None` when the client hung up.
async fn speaks(stream: &TcpStream) -> Option<Protocol> {
    let mut first = [0; PREFACE.len()];
    loop {
        let seen = stream.peek(&mut first).await.ok()?;
        match first.get(..seen)? {
            [] => return None,
            bytes if bytes == PREFACE => return Some(Protocol::Http2),
            bytes if !PREFACE.starts_with(bytes) => return Some(Protocol::Http1),
            // A part of the preface: what is there stays readable, so there is nothing to wait for but time.
            _ => tokio::time::sleep(Duration::from_millis(10)).await,
        }
    }
}
