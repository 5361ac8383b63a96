//! A connection to somewhere else that a story may cut and mend.

use std::net::SocketAddr;

use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinHandle;

use crate::databases::authority;
use crate::events::SOON;

/// Listens on a port of its own and passes on what comes, while it is whole.
pub struct Relay {
    address: SocketAddr,
    whole: watch::Sender<bool>,
    /// So many connections, counted from the first, stay open and pass nothing on.
    silent: watch::Sender<usize>,
    silenced: watch::Sender<bool>,
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
        let (whole, silent, silenced) =
            (watch::Sender::new(true), watch::Sender::new(0), watch::Sender::new(false));
        let (state, silence, is_silent) = (whole.clone(), silent.clone(), silenced.clone());
        let task = tokio::spawn(async move {
            let mut number = 0;
            while let Ok((near, _)) = listener.accept().await {
                // One that comes while it is cut is closed at once.
                if *state.borrow() {
                    let (whole, silent, silenced) =
                        (state.subscribe(), silence.subscribe(), is_silent.clone());
                    tokio::spawn(pass(near, server.clone(), number, whole, silent, silenced));
                    number += 1;
                }
            }
        });
        Self { address, whole, silent, silenced, task }
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

    /// From now on the first connection passes nothing on, though nobody can tell that from its ends.
    ///
    /// # Panics
    /// When there is no such connection.
    pub async fn silence_first(&self) {
        let mut silenced = self.silenced.subscribe();
        self.silent.send_replace(1);
        // What is said after this is not heard.
        let waited = tokio::time::timeout(SOON, silenced.wait_for(|silenced| *silenced)).await;
        assert!(waited.is_ok(), "nobody has connected");
    }

    /// From now on nothing passes, on connections that are there and on new ones, and nobody is told: a partition.
    pub fn swallow(&self) {
        self.silent.send_replace(usize::MAX);
    }

    /// New connections pass again.
    pub fn mend(&self) {
        self.silent.send_replace(0);
        self.whole.send_replace(true);
    }
}

impl Drop for Relay {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn pass(
    mut near: TcpStream,
    server: String,
    number: usize,
    mut whole: watch::Receiver<bool>,
    mut silent: watch::Receiver<usize>,
    silenced: watch::Sender<bool>,
) {
    let Ok(mut far) = TcpStream::connect(server).await else { return };
    for end in [&near, &far] {
        end.set_nodelay(true).expect("an open connection");
    }
    let is_silenced = tokio::select! {
        _ = tokio::io::copy_bidirectional(&mut near, &mut far) => false,
        _ = whole.wait_for(|whole| !whole) => false,
        _ = silent.wait_for(|silent| number < *silent) => true,
    };
    if is_silenced {
        silenced.send_replace(true);
        // Both ends stay open until it is cut.
        let _ = whole.wait_for(|whole| !whole).await;
    }
}
