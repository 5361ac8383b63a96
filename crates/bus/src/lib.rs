//! What nodes of one installation tell one another: logs that moved, sessions that ended, weather that changed,
//! traffic that was let through.
//!
//! All of it is hints. The database is the truth, and each hint has a backstop that finds the same a little later:
//! losing news costs time, never data. So nothing here makes a request wait or fail.

mod cache;
mod carrier;
mod codec;
mod echo;
mod heard;
mod installation;
mod line;
mod news;
mod outbox;
#[doc(hidden)]
pub mod parsers;
mod redis;

use std::sync::Arc;
use std::sync::atomic::AtomicI64;
use std::time::Duration;

use domain::{AccountId, Clock, Random, Result, SessionId, Timestamp};
use store::Hint;
use tokio::sync::{Notify, watch};
use tokio::time::timeout;

pub use cache::SharedCache;
pub use carrier::Carrier;
pub use codec::NodeId;
pub use installation::Installation;
pub use news::{ChangedCell, News, OpenStream, Tag, Taken};
pub use redis::plain_host;

use cache::Place;
use carrier::Address;
use heard::Heard;
use outbox::Outbox;
use redis::Redis;

/// A node's place on the bus. Cheap to clone; without a carrier it tells nobody and hears nothing.
#[derive(Clone, Default)]
pub struct Bus(Option<Arc<Inner>>);

struct Inner {
    node: NodeId,
    installation: Arc<Installation>,
    address: Address,
    clock: Clock,
    random: Random,
    outbox: Outbox,
    heard: Heard,
    /// The time of the last message, in milliseconds.
    said_until: AtomicI64,
    joined: watch::Sender<Joined>,
    missed: Notify,
}

/// How this node and the others stand.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Joined {
    /// Whether this node hears the others just now.
    pub is_connected: bool,
    /// How often it has connected since the start.
    pub connections: u64,
    /// Messages that left here since the start.
    pub sent: u64,
    /// Messages of other nodes since the start, each counted when what it says was done.
    pub received: u64,
}

impl Bus {
    /// Nothing is connected before [`Bus::run`].
    ///
    /// # Errors
    /// When the carrier's URL does not parse.
    pub fn new(carrier: Carrier, installation: Installation, clock: Clock, random: Random) -> Result<Self> {
        let address = match carrier {
            Carrier::None => return Ok(Self::default()),
            Carrier::Postgres { url, pooled } => Address::Postgres { url, pooled },
            Carrier::Redis { url } => {
                Address::Redis(Arc::new(Redis::new(&url, format!("fairweather:{}:", installation.name))?))
            }
        };
        Ok(Self(Some(Arc::new(Inner {
            node: random.bytes(),
            installation: Arc::new(installation),
            address,
            clock,
            random,
            outbox: Outbox::new(),
            heard: Heard::default(),
            said_until: AtomicI64::new(0),
            joined: watch::Sender::default(),
            missed: Notify::new(),
        }))))
    }

    /// Whether there are other nodes to tell.
    pub const fn is_there(&self) -> bool {
        self.0.is_some()
    }

    /// The cache beside it.
    pub fn shared_cache(&self) -> SharedCache {
        match self.0.as_deref() {
            Some(Inner { address: Address::Redis(redis), installation, .. }) => {
                SharedCache(Some(Place { redis: redis.clone(), installation: installation.clone() }))
            }
            _ => SharedCache::default(),
        }
    }

    /// Logs have moved here.
    pub fn tell_heads(&self, hints: &[Hint]) {
        if let Some(inner) = &self.0 {
            inner.outbox.heads(hints);
        }
    }

    /// Sessions were ended here.
    pub fn tell_ended(&self, ended: impl IntoIterator<Item = (SessionId, Timestamp)>) {
        if let Some(inner) = &self.0 {
            inner.outbox.ended(ended);
        }
    }

    /// The weather of a cell looks different, and the database has it.
    pub fn tell_cell(&self, changed: ChangedCell) {
        if let Some(inner) = &self.0 {
            inner.outbox.cell(changed);
        }
    }

    /// Traffic was let through here.
    pub fn tell_taken(&self, taken: &[Taken]) {
        if let Some(inner) = &self.0
            && !taken.is_empty()
        {
            inner.outbox.taken(taken);
        }
    }

    /// When the streams of an account were opened that are open here: each time all of them.
    pub fn tell_streams(&self, account: AccountId, opened: Vec<Timestamp>) {
        if let Some(inner) = &self.0 {
            inner.outbox.streams(account, opened);
        }
    }

    /// Returns when all that was told before has left, or when the patience ends.
    pub async fn flushed(&self, patience: Duration) {
        if let Some(inner) = &self.0 {
            // Whoever waits goes on all the same: the bus makes nothing wait for long.
            let _ = timeout(patience, inner.outbox.flushed()).await;
        }
    }

    /// Returns when news may have been missed: after each time that this node has connected, and when another one
    /// could not tell all it had. What they would have said is to be read then.
    pub async fn missed(&self) {
        match &self.0 {
            Some(inner) => inner.missed.notified().await,
            None => std::future::pending().await,
        }
    }

    /// How this node and the others stand now.
    pub fn joined(&self) -> Joined {
        self.0.as_ref().map(|inner| *inner.joined.borrow()).unwrap_or_default()
    }

    /// Returns when this node and the others stand as asked for, which may be never.
    pub async fn joined_as(&self, wanted: impl FnMut(&Joined) -> bool) {
        if let Some(inner) = &self.0 {
            // An error would mean that the bus is gone, which holds the sender.
            let _ = inner.joined.subscribe().wait_for(wanted).await;
        }
    }
}
