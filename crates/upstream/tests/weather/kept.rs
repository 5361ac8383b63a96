//! Connections that a server closes at the moment at which the next request comes.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use reqwest::Url;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use upstream::http::{Http, HttpError, HttpSettings, Request};

use crate::PATIENCE;

/// Answers the first request of each connection as if another could follow, and hangs up on that one.
struct Hasty {
    url: Url,
    connections: Arc<AtomicUsize>,
}

impl Hasty {
    async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let url = format!("http://{}/", listener.local_addr().expect("an address"));
        let connections = Arc::new(AtomicUsize::new(0));
        let count = connections.clone();
        tokio::spawn(async move {
            while let Ok((connection, _)) = listener.accept().await {
                count.fetch_add(1, Ordering::SeqCst);
                tokio::spawn(serve(connection));
            }
        });
        Self { url: Url::parse(&url).expect("a URL"), connections }
    }

    fn connections(&self) -> usize {
        self.connections.load(Ordering::SeqCst)
    }

    async fn ask(&self, http: &Http) -> Result<u16, HttpError> {
        http.send(Request::get(self.url.clone(), 64)).await.map(|reply| reply.status)
    }
}

async fn serve(mut connection: TcpStream) {
    request(&mut connection).await;
    let answer = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok";
    connection.write_all(answer).await.expect("the client reads");
    request(&mut connection).await;
}

/// Reads up to the end of a head, or of the connection.
async fn request(connection: &mut TcpStream) {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        match connection.read_u8().await {
            Ok(byte) => head.push(byte),
            Err(_) => return,
        }
    }
}

fn client(keep_alive: Option<Duration>) -> Http {
    let allowed = ["127.0.0.1"].into_iter().collect();
    Http::new(HttpSettings { timeout: PATIENCE, keep_alive, allowed, ..HttpSettings::default() })
}

#[tokio::test]
async fn a_client_that_keeps_no_connections_is_never_hung_up_on() {
    let server = Hasty::start().await;
    let http = client(None);
    for number in 1..=3 {
        assert_eq!(server.ask(&http).await, Ok(200));
        assert_eq!(server.connections(), number);
    }
}

#[tokio::test]
async fn a_connection_is_kept_for_its_time_and_not_longer() {
    let server = Hasty::start().await;
    let http = client(Some(Duration::from_secs(3600)));
    assert_eq!(server.ask(&http).await, Ok(200));
    // The same one is used again: this server is not a friend of that.
    assert_eq!(server.ask(&http).await, Err(HttpError::Unreachable));
    assert_eq!(server.connections(), 1);

    let http = client(Some(Duration::from_millis(1)));
    for number in 2..=4 {
        assert_eq!(server.ask(&http).await, Ok(200));
        assert_eq!(server.connections(), number);
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}
