//! What nodes hear, read as they read it: for `crates/fuzzing`, which has no carrier. The bus itself does not come here.

use domain::Timestamp;

use crate::codec::{self, NodeId};
use crate::installation::Installation;
use crate::news::News;

/// What a message says, and whose it is and of when; `None` for what no node of the installation wrote.
pub fn message(installation: &Installation, bytes: &[u8]) -> Option<(NodeId, Timestamp, News)> {
    let message = codec::decode(&installation.messages, bytes).ok()?;
    Some((message.node, message.sent_at, message.news))
}

/// News as messages of at most so many bytes.
pub fn messages(
    installation: &Installation,
    (node, sent_at, news): &(NodeId, Timestamp, News),
    largest: usize,
) -> Vec<Vec<u8>> {
    codec::encode(&installation.messages, *node, *sent_at, news, largest)
}

/// Bytes with the tag behind them that makes them a message of the installation, whatever they say.
pub fn signed(installation: &Installation, bytes: &[u8]) -> Vec<u8> {
    let mut message = bytes.to_vec();
    codec::sign(&installation.messages, &mut message);
    message
}

/// The value of a key of the shared cache, if a node of the installation put it there.
pub fn value(installation: &Installation, key: &str, found: &[u8]) -> Option<Vec<u8>> {
    crate::cache::open(&installation.values, key, found.to_vec())
}
