//! An account's streams at other nodes, so that its bound holds over all of them.
//!
//! Each node tells when its streams of an account were opened, whenever one comes or goes. An account has to be over
//! its bound for a while before streams end for it, and a node that is not heard any more does not count: devices that
//! come back from a node that died would else be counted twice, and end one another.

use std::collections::HashMap;
use std::time::Duration;

use bus::{NodeId, OpenStream};
use domain::{AccountId, Timestamp};

use super::hub::{Hub, Room};
use super::signal::Close;

pub(super) type Tell = Box<dyn Fn(AccountId, Vec<Timestamp>) + Send + Sync>;

/// How long an account may be over its bound.
const OVER: Duration = Duration::from_secs(20);
/// A node that has said nothing for longer does not count. It says something every ten seconds.
const SILENT: Duration = Duration::from_secs(15);
/// Nodes that are known before those that are silent are forgotten.
const NODES: usize = 64;

#[derive(Default)]
pub(super) struct Elsewhere {
    /// When the streams at each node were opened.
    nodes: HashMap<NodeId, Vec<Timestamp>>,
    over_since: Option<Timestamp>,
}

impl Hub {
    /// A node is there, whatever it says.
    pub fn heard(&self, node: NodeId, now: Timestamp) {
        let mut rooms = self.rooms();
        if rooms.heard.len() >= NODES {
            rooms.heard.retain(|_, heard| now.since(*heard) <= SILENT);
        }
        rooms.heard.insert(node, now);
    }

    /// Streams are open at another node.
    pub fn open_elsewhere(&self, node: NodeId, streams: &[OpenStream]) {
        let mut rooms = self.rooms();
        for open in streams {
            // Nobody here has to know of an account that has no stream here.
            let Some(room) = rooms.accounts.get_mut(&open.account) else { continue };
            let nodes = &mut room.elsewhere.nodes;
            let is_known = nodes.contains_key(&node);
            if open.of == 0 {
                nodes.remove(&node);
                continue;
            }
            let opened = nodes.entry(node).or_default();
            if open.index == 0 {
                opened.clear();
            }
            opened.push(open.opened_at);
            if !is_known {
                // It may not know of those here: they were told when it had none.
                self.tell(&rooms, open.account);
            }
        }
    }

    /// Tells of all streams here, where others may have missed it.
    pub fn tell_all(&self) {
        let rooms = self.rooms();
        rooms.accounts.keys().for_each(|account| self.tell(&rooms, *account));
    }

    /// Ends the oldest streams of accounts that have had too many for a while.
    pub(super) fn end_surplus(&self, now: Timestamp) {
        let mut rooms = self.rooms();
        if rooms.heard.is_empty() {
            // There are no others, and this is asked every second.
            return;
        }
        let heard = std::mem::take(&mut rooms.heard);
        let is_there = |node: &NodeId| heard.get(node).is_some_and(|heard| now.since(*heard) <= SILENT);
        let mut surplus = Vec::new();
        for (account, room) in &mut rooms.accounts {
            if let Some(oldest) = room.oldest_to_keep(self.per_account(), now, is_there) {
                let older = room.streams.iter().filter(|signal| signal.opened_at < oldest);
                surplus.extend(older.map(|signal| (*account, signal.clone())));
            }
        }
        rooms.heard = heard;
        for (account, signal) in surplus {
            rooms.remove(account, &signal);
            signal.close(Close::Replaced);
            self.tell(&rooms, account);
        }
    }
}

impl Room {
    /// Streams that were opened before this are too many, at whatever node they are; `None` while there are not, or
    /// have not been for long.
    fn oldest_to_keep(
        &mut self,
        most: usize,
        now: Timestamp,
        is_there: impl Fn(&NodeId) -> bool,
    ) -> Option<Timestamp> {
        let Elsewhere { nodes, over_since } = &mut self.elsewhere;
        if nodes.is_empty() {
            return None;
        }
        let others = nodes.iter().filter(|(node, _)| is_there(node)).flat_map(|(_, opened)| opened);
        let mut opened: Vec<Timestamp> = self.streams.iter().map(|signal| signal.opened_at).collect();
        opened.extend(others);
        if opened.len() <= most {
            *over_since = None;
            return None;
        }
        let since = *over_since.get_or_insert(now);
        opened.sort_unstable_by(|one, other| other.cmp(one));
        (now.since(since) >= OVER).then(|| opened.get(most.saturating_sub(1)).copied())?
    }
}
