//! Three nodes of the real binary on one PostgreSQL, behind a real proxy with the configuration that we deploy.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use testkit::databases::Database;
use testkit::proxy::{Kind, Proxy};
use testkit::{Client, Process};

const NODES: usize = 3;
/// Of the connections that a server of tests has for all.
const CONNECTIONS: &str = "4";
/// How long PostgreSQL may take to finish with a client that is gone.
const SOON: Duration = Duration::from_secs(60);

/// The nodes and what stands before them.
pub struct Set {
    url: String,
    nodes: Vec<Process>,
    proxy: Proxy,
}

impl Set {
    pub fn start(kind: Kind, url: String, redis: Option<String>) -> Self {
        let ring = ring();
        let mut nodes: Vec<_> = (0..NODES).map(|node| process(&url, redis.as_deref(), &ring, node)).collect();
        nodes.iter_mut().for_each(Process::spawn);
        nodes.iter_mut().for_each(Process::listening);
        let addresses: Vec<SocketAddr> = nodes.iter().map(Process::address).collect();
        let proxy = Proxy::start(kind, &addresses);
        Self { url, nodes, proxy }
    }

    /// Somebody before the proxy.
    pub fn visitor(&self) -> Client {
        Client::at(self.proxy.base_url()).patient()
    }

    pub fn database(&self) -> Database {
        Database::Postgres(self.url.clone())
    }

    pub fn data(&self) -> PathBuf {
        self.nodes[0].data()
    }

    /// One that runs, by any number. The last one is left alone until the others are back.
    pub fn running(&mut self, node: u8) -> usize {
        let running =
            |set: &Self| -> Vec<usize> { (0..NODES).filter(|node| set.nodes[*node].is_running()).collect() };
        if running(self).len() < 2 {
            self.rise();
        }
        let running = running(self);
        running[usize::from(node) % running.len()]
    }

    /// Kills a node.
    pub fn fall(&mut self, node: usize) {
        self.nodes[node].kill();
    }

    /// Waits until PostgreSQL has finished with a node that is gone: a transaction whose commit was on its way takes
    /// place after its client has died, and whoever looked before would not see it.
    pub async fn forgotten(&self, node: usize) {
        let sql = format!(
            "SELECT count(*) FROM pg_stat_activity
             WHERE datname = current_database() AND application_name = '{}'",
            name(node)
        );
        let begun = Instant::now();
        while self.database().number(&sql).await > 0 {
            assert!(begun.elapsed() < SOON, "PostgreSQL holds connections of a node that is gone");
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }

    /// Waits until the proxy leads to a node: one that was killed and came back is left out for a moment, and when that
    /// moment lies between the falls of all of them, there is none.
    pub async fn reachable(&self) {
        let begun = Instant::now();
        while !Client::at(self.proxy.base_url())
            .get("/healthz")
            .attempt()
            .await
            .is_ok_and(|answer| answer.status == 200)
        {
            assert!(begun.elapsed() < SOON, "the proxy finds no node: {}", self.proxy.log());
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// Tells a node to stop.
    pub fn drain(&self, node: usize) {
        self.nodes[node].terminate();
    }

    /// Waits until a node that was told to stop has stopped in order.
    pub fn drained(&mut self, node: usize) -> bool {
        self.nodes[node].ended().success()
    }

    pub async fn kill_all(&mut self) {
        self.nodes.iter_mut().for_each(Process::kill);
        for node in 0..NODES {
            self.forgotten(node).await;
        }
    }

    /// What the proxy has said.
    pub fn proxy_log(&self) -> String {
        self.proxy.log()
    }

    /// Starts the nodes that are away.
    pub fn rise(&mut self) {
        let away = |node: &&mut Process| !node.is_running();
        let mut away: Vec<_> = self.nodes.iter_mut().filter(away).collect();
        away.iter_mut().for_each(|node| node.spawn());
        away.iter_mut().for_each(|node| node.listening());
    }
}

/// How PostgreSQL knows a node's connections.
fn name(node: usize) -> String {
    format!("node{}", node + 1)
}

fn process(url: &str, redis: Option<&str>, ring: &str, node: usize) -> Process {
    let separator = if url.contains('?') { '&' } else { '?' };
    let url = format!("{url}{separator}application_name={}", name(node));
    let mut settings = vec![
        ("FAIRWEATHER_DATABASE", url.as_str()),
        ("FAIRWEATHER_STORE__CONNECTIONS", CONNECTIONS),
        ("FAIRWEATHER_KEY_RING", ring),
        ("FAIRWEATHER_DRAIN_S", "1"),
    ];
    settings.extend(redis.map(|redis| ("FAIRWEATHER_REDIS", redis)));
    Process::new(env!("CARGO_BIN_EXE_fairweather"), &[], &[], &settings)
}

/// The text of a new key ring, which all nodes share.
fn ring() -> String {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let file = folder.path().join("ring");
    vault::Ring::load_or_create(&file, &server::start::system_random()).expect("a key ring");
    std::fs::read_to_string(file).expect("a key ring")
}
