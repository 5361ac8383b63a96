//! A connection to somewhere else that a story may cut and mend.

use std::net::SocketAddr;

use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinHandle;

/// Listens on a port of its own and passes on what comes, while it is whole.
pub struct Relay {
    address: SocketAddr,
    whole: watch::Sender<bool>,
    task: JoinHandle<()>,
}

impl Relay {
    /// Leads to the server in this URL.
    ///
    /// # Panics
    /// When there is none in it, or no port is free.
    pub async fn to(url: &str) -> Self {
        let server = authority(url).expect("a URL with a host and a port").to_owned();
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("a bound listener has an address");
        let whole = watch::Sender::new(true);
        let state = whole.clone();
        let task = tokio::spawn(async move {
            while let Ok((near, _)) = listener.accept().await {
                // One that comes while it is cut is closed at once.
                if *state.borrow() {
                    tokio::spawn(pass(near, server.clone(), state.subscribe()));
                }
            }
        });
        Self { address, whole, task }
    }

    /// The same URL, leading here.
    ///
    /// # Panics
    /// When there is no server in it.
    pub fn before(&self, url: &str) -> String {
        let server = authority(url).expect("a URL with a host and a port");
        url.replacen(server, &self.address.to_string(), 1)
    }

    /// Breaks all connections, and takes no more.
    pub fn cut(&self) {
        self.whole.send_replace(false);
    }

    pub fn mend(&self) {
        self.whole.send_replace(true);
    }
}

impl Drop for Relay {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn pass(mut near: TcpStream, server: String, mut whole: watch::Receiver<bool>) {
    let Ok(mut far) = TcpStream::connect(server).await else { return };
    tokio::select! {
        _ = tokio::io::copy_bidirectional(&mut near, &mut far) => {}
        _ = whole.wait_for(|whole| !whole) => {}
    }
}

/// `host:port` of a URL.
fn authority(url: &str) -> Option<&str> {
    let (_, rest) = url.split_once("://")?;
    let rest = rest.split(['/', '?']).next()?;
    let server = rest.rsplit_once('@').map_or(rest, |(_, server)| server);
    server.contains(':').then_some(server)
}
