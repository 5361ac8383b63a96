//! A service that receives webhooks, and misbehaves on request.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderMap, Response, StatusCode, header};
use axum::routing::any;
use bytes::Bytes;
use futures::stream;
use serde_json::Value;
use tokio::sync::Notify;

/// How long a story waits for what must come.
const SOON: Duration = Duration::from_secs(60);

/// How it answers from now on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Manner {
    /// This status and no body.
    Status(u16),
    /// 302 to a cloud's metadata address.
    RedirectInside,
    /// Takes the request and never answers.
    Hangs,
    /// 200 and a body without end.
    Endless,
}

/// One request as it came.
#[derive(Clone, Debug)]
pub struct Received {
    pub headers: HeaderMap,
    pub bytes: Bytes,
    pub body: Value,
}

impl Received {
    /// A header's value; empty when it is not there.
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
    }
}

/// The server; it stops when dropped.
pub struct WebhookReceiver {
    address: SocketAddr,
    shared: Arc<Shared>,
    task: tokio::task::JoinHandle<()>,
}

struct Shared {
    manner: Mutex<Manner>,
    received: Mutex<Vec<Received>>,
    came: Notify,
}

impl WebhookReceiver {
    /// Starts on a free port of 127.0.0.1 and answers 204.
    ///
    /// # Panics
    /// When the machine has no free port.
    pub async fn start() -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("an address");
        let shared = Arc::new(Shared {
            manner: Mutex::new(Manner::Status(204)),
            received: Mutex::default(),
            came: Notify::new(),
        });
        let router = Router::new().fallback(any(answer)).with_state(shared.clone());
        let task = tokio::spawn(async move {
            let _ = axum::serve(listener, router).await;
        });
        Self { address, shared, task }
    }

    /// Where it listens.
    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}/hook", self.address.port())
    }

    /// The same by a name that must be looked up.
    pub fn url_by_name(&self) -> String {
        format!("https://localhost:{}/hook", self.address.port())
    }

    pub fn behave(&self, manner: Manner) {
        *self.shared.manner.lock().unwrap_or_else(PoisonError::into_inner) = manner;
    }

    /// What came so far.
    pub fn received(&self) -> Vec<Received> {
        self.shared.received.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// What came, when it is this many.
    ///
    /// # Panics
    /// When so many do not come soon.
    pub async fn wait_for(&self, count: usize) -> Vec<Received> {
        let come = async {
            loop {
                let came = self.shared.came.notified();
                let received = self.received();
                if received.len() >= count {
                    return received;
                }
                came.await;
            }
        };
        let waited = tokio::time::timeout(SOON, come).await;
        waited.unwrap_or_else(|_| panic!("{} requests came, not {count}", self.received().len()))
    }
}

impl Drop for WebhookReceiver {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn answer(State(shared): State<Arc<Shared>>, headers: HeaderMap, bytes: Bytes) -> Response<Body> {
    let body = serde_json::from_slice(&bytes).unwrap_or_default();
    let manner = *shared.manner.lock().unwrap_or_else(PoisonError::into_inner);
    let received = Received { headers, bytes, body };
    shared.received.lock().unwrap_or_else(PoisonError::into_inner).push(received);
    shared.came.notify_waiters();
    let mut response = Response::new(Body::empty());
    match manner {
        Manner::Status(status) => *response.status_mut() = StatusCode::from_u16(status).expect("a status"),
        Manner::RedirectInside => {
            *response.status_mut() = StatusCode::FOUND;
            let inside = axum::http::HeaderValue::from_static("http://169.254.169.254/latest/meta-data");
            response.headers_mut().insert(header::LOCATION, inside);
        }
        Manner::Hangs => std::future::pending().await,
        Manner::Endless => {
            let chunk = Bytes::from(vec![b'x'; 16 * 1024]);
            *response.body_mut() =
                Body::from_stream(stream::repeat_with(move || Ok::<_, std::io::Error>(chunk.clone())));
        }
    }
    response
}
