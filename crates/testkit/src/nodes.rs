//! Several nodes of one installation: each a server of its own in this process, all on one PostgreSQL database.

use std::collections::hash_map::RandomState;
use std::hash::{BuildHasher, Hasher};
use std::ops::{Deref, DerefMut};
use std::time::Duration;

use server::Config;

use crate::events::AT_LAST;
use crate::{TestApp, databases, redis};

/// Stamps stories, each an `async fn(Nodes)`, on both ways in which nodes hear of one another: `listen::name` and
/// `redis::name`. Each gets two nodes.
#[macro_export]
macro_rules! stamp_nodes {
    (both: [$($both:ident),+ $(,)?]) => {
        mod listen {
            $(#[test] fn $both() { $crate::nodes::on_listen(2, super::$both); })+
        }

        mod redis {
            $(#[test] fn $both() { $crate::nodes::on_redis(2, super::$both); })+
        }
    };
}

/// The nodes, which are the same to every client.
pub struct Nodes(Vec<TestApp>);

/// Each node's share of the connections that a server of tests has for all.
const CONNECTIONS: usize = 4;

/// Runs the story on nodes that hear of one another by LISTEN and NOTIFY.
pub fn on_listen(count: usize, story: impl AsyncFnOnce(Nodes)) {
    run(count, None, story);
}

/// Runs the story on nodes that share the Redis that the tests were given.
pub fn on_redis(count: usize, story: impl AsyncFnOnce(Nodes)) {
    if let Some(redis) = redis::server() {
        run(count, Some(redis), story);
    }
}

/// Runs the story on nodes that share this Redis, if any.
///
/// # Panics
/// When the story does.
pub fn run(count: usize, redis: Option<String>, story: impl AsyncFnOnce(Nodes)) {
    if databases::server().is_none() {
        return;
    }
    databases::in_new_database(|database| {
        databases::runtime().block_on(async {
            // Installations that draw the same keys would take each other's news for their own.
            let seed = RandomState::new().build_hasher().finish();
            let settings = |config: &mut Config| {
                config.database = Some(database);
                config.redis = redis;
            };
            story(Nodes::start(count, seed, settings).await).await;
        });
    });
}

impl Nodes {
    /// So many nodes, which hear of one another when this returns.
    pub async fn start(count: usize, seed: u64, settings: impl FnOnce(&mut Config)) -> Self {
        let first = TestApp::start_with(seed, |config| {
            config.store.connections = CONNECTIONS;
            settings(config);
        });
        let mut nodes = vec![first.await];
        while nodes.len() < count {
            let next = nodes[0].beside().await;
            nodes.push(next);
        }
        let nodes = Self(nodes);
        nodes.joined().await;
        nodes
    }

    /// Returns when every node hears the others.
    ///
    /// # Panics
    /// When that does not happen soon.
    pub async fn joined(&self) {
        for node in &self.0 {
            node.joined(true).await;
        }
    }

    /// Moves the clock of all, and the provider's.
    pub fn advance(&self, by: Duration) {
        self.0[0].advance(by);
    }
}

impl Deref for Nodes {
    type Target = [TestApp];

    fn deref(&self) -> &[TestApp] {
        &self.0
    }
}

impl DerefMut for Nodes {
    fn deref_mut(&mut self) -> &mut [TestApp] {
        &mut self.0
    }
}

impl TestApp {
    /// Returns when this node hears the others, or does not.
    ///
    /// # Panics
    /// When that does not happen soon.
    pub async fn joined(&self, is_connected: bool) {
        let joined = self.app().bus().joined_as(|joined| joined.is_connected == is_connected);
        let waited = tokio::time::timeout(AT_LAST, joined).await;
        assert!(waited.is_ok(), "the node should be {}", if is_connected { "connected" } else { "cut off" });
    }

    /// Returns when this node has connected so often since its start, and hears the others.
    ///
    /// # Panics
    /// When that does not happen soon.
    pub async fn joined_again(&self, times: u64) {
        let bus = self.app().bus();
        let joined = bus.joined_as(|joined| joined.is_connected && joined.connections >= times);
        let waited = tokio::time::timeout(AT_LAST, joined).await;
        assert!(waited.is_ok(), "the node should have connected {times} times: {:?}", bus.joined());
    }

    /// Returns when what happened here until now was said to the other nodes.
    pub async fn said(&self) {
        self.app().bus().flushed(AT_LAST).await;
    }
}
