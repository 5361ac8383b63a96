//! Connections: taking them, bounding them, and letting them finish at the end.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use api::{Edge, Peer};
use axum::body::Body;
use hyper::body::Incoming;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto::Builder;
use hyper_util::server::graceful::GracefulShutdown;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, watch};
use tokio::task::JoinHandle;

/// Connections at once; more wait in the system's queue.
const MOST: usize = 20_000;
/// A client that dribbles its request's head is cut off.
const HEAD_WITHIN: Duration = Duration::from_secs(10);
/// Bytes that the system takes ahead of what the client has received.
#[cfg(target_os = "linux")]
const UNSENT: u32 = 64 * 1024;
/// A client that acknowledges nothing for so long is gone: without this a stream would learn of it in a quarter
/// of an hour.
#[cfg(target_os = "linux")]
const UNACKNOWLEDGED: Duration = Duration::from_secs(60);

pub struct Connections {
    stop: watch::Sender<bool>,
    accepting: JoinHandle<GracefulShutdown>,
}

/// Takes connections until [`Connections::drain`].
pub fn serve(listener: TcpListener, edge: Edge) -> Connections {
    let (stop, stopped) = watch::channel(false);
    Connections { stop, accepting: tokio::spawn(accept(listener, edge, stopped)) }
}

impl Connections {
    /// Takes no more, and waits for those at work to finish their answers.
    pub async fn drain(&mut self, patience: Duration) {
        self.stop.send_replace(true);
        if let Ok(graceful) = (&mut self.accepting).await
            && tokio::time::timeout(patience, graceful.shutdown()).await.is_err()
        {
            tracing::warn!("some connections did not finish in time and were cut");
        }
    }
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

async fn accept(listener: TcpListener, edge: Edge, mut stopped: watch::Receiver<bool>) -> GracefulShutdown {
    let graceful = GracefulShutdown::new();
    let places = Arc::new(Semaphore::new(MOST));
    let mut builder = Builder::new(TokioExecutor::new());
    builder.http1().timer(TokioTimer::new()).header_read_timeout(HEAD_WITHIN);
    builder
        .http2()
        .timer(TokioTimer::new())
        .max_concurrent_streams(200)
        .keep_alive_interval(Duration::from_secs(30));
    loop {
        let Ok(place) = places.clone().acquire_owned().await else { return graceful };
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            _ = stopped.wait_for(|stop| *stop) => return graceful,
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
        tune(&stream);
        let edge = edge.clone();
        let service = hyper::service::service_fn(move |request: hyper::Request<Incoming>| {
            let mut request = request.map(Body::new);
            request.extensions_mut().insert(Peer(peer));
            let edge = edge.clone();
            async move { Ok::<_, Infallible>(edge.answer(request).await) }
        });
        // hyper looks for the protocol before it starts its own clock, so a silent client is cut here.
        let mut stopping = stopped.clone();
        let (builder, watcher) = (builder.clone(), graceful.watcher());
        tokio::spawn(async move {
            let spoken = tokio::select! {
                spoken = tokio::time::timeout(HEAD_WITHIN, stream.readable()) => matches!(spoken, Ok(Ok(()))),
                _ = stopping.wait_for(|stop| *stop) => false,
            };
            if !spoken {
                return;
            }
            let connection =
                builder.serve_connection_with_upgrades(TokioIo::new(stream), service).into_owned();
            let connection = watcher.watch(connection);
            if let Err(error) = connection.await {
                tracing::debug!(%error, "a connection ended early");
            }
            drop(place);
        });
    }
}
