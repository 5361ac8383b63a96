//! News as bytes.
//!
//! A message is version (1 byte), node (8), sending time (i64 ms), then sections: kind (1), length (u32), entries of
//! a size that the kind fixes; at the end a tag (16) by which nodes of the installation know it. All little endian.
//! Whoever meets a version or a kind that it does not know passes it over, so nodes of two releases may run side by
//! side; an entry that needs other fields gets a new kind.

use std::time::Duration;

use domain::cursor::Era;
use domain::forecast::Cell;
use domain::{AccountId, SessionId, Timestamp};
use store::Hint;
use uuid::Uuid;
use vault::MacKey;
use vault::mac;

use crate::news::{ChangedCell, News, OpenStream, Tag, Taken};

/// Names a node from its start to its end.
pub type NodeId = [u8; 8];

const VERSION: u8 = 2;
const HEADER: usize = 1 + 8 + 8;
const SECTION: usize = 1 + 4;
const TAG: usize = size_of::<mac::Tag>();

const HEADS: u8 = 1;
const ENDED: u8 = 2;
const CELLS: u8 = 3;
const TAKEN: u8 = 4;
const GAP: u8 = 5;
const STREAMS: u8 = 6;

const HEAD_SIZE: usize = 16 + 4 + 8;
const ENDED_SIZE: usize = 16 + 8;
const CELL_SIZE: usize = 5 + 8 + 8;
const TAKEN_SIZE: usize = 1 + 16 + 4;
const STREAM_SIZE: usize = 16 + 8 + 1 + 1;

/// A message as it was received.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Message {
    pub node: NodeId,
    pub sent_at: Timestamp,
    pub news: News,
}

/// Why what was received is no message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Refused {
    /// It is of another release, or of nobody here.
    Unknown,
    /// It looks like one, and no node of this installation wrote it.
    Forged,
    /// It was heard before, or is too old to tell.
    Again,
}

impl Refused {
    pub const fn name(self) -> &'static str {
        match self {
            Self::Unknown => "unknown",
            Self::Forged => "forged",
            Self::Again => "again",
        }
    }
}

/// Writes news as messages of at most `largest` bytes each. There is always one, which may say nothing. The first is of
/// the moment `sent_at`, each other one of the millisecond after the one before.
pub(crate) fn encode(
    key: &MacKey,
    node: NodeId,
    sent_at: Timestamp,
    news: &News,
    largest: usize,
) -> Vec<Vec<u8>> {
    let header = |sent_at: Timestamp| {
        let mut header = Vec::with_capacity(HEADER);
        header.push(VERSION);
        header.extend_from_slice(&node);
        header.extend_from_slice(&sent_at.millis().to_le_bytes());
        header
    };
    let largest = largest.saturating_sub(TAG);
    let mut pages = Pages { pages: vec![header(sent_at)], last: sent_at, header, largest };
    pages.section(HEADS, news.heads.iter().map(head));
    pages.section(ENDED, news.ended.iter().map(ended));
    pages.section(CELLS, news.cells.iter().map(cell));
    pages.section(TAKEN, news.taken.iter().map(taken));
    pages.section(STREAMS, news.streams.iter().map(stream));
    pages.section(GAP, news.has_gap.then_some([0]).into_iter());
    let mut pages = pages.pages;
    pages.iter_mut().for_each(|page| sign(key, page));
    pages
}

pub(crate) fn sign(key: &MacKey, message: &mut Vec<u8>) {
    let tag = key.tag(&[message]);
    message.extend_from_slice(&tag);
}

/// Reads a message of a version known here, if it is by a node of this installation.
pub(crate) fn decode(key: &MacKey, bytes: &[u8]) -> Result<Message, Refused> {
    if bytes.first() != Some(&VERSION) {
        return Err(Refused::Unknown);
    }
    let (message, tag) = bytes.split_last_chunk().ok_or(Refused::Unknown)?;
    if !key.is_valid(&[message], tag) {
        return Err(Refused::Forged);
    }
    read(message).ok_or(Refused::Unknown)
}

fn read(mut bytes: &[u8]) -> Option<Message> {
    let [VERSION] = take(&mut bytes)? else { return None };
    let node = take(&mut bytes)?;
    let sent_at = Timestamp::from_millis(i64::from_le_bytes(take(&mut bytes)?));
    let mut news = News::default();
    while !bytes.is_empty() {
        let [kind] = take(&mut bytes)?;
        let length = usize::try_from(u32::from_le_bytes(take(&mut bytes)?)).ok()?;
        let (entries, rest) = bytes.split_at_checked(length)?;
        bytes = rest;
        match kind {
            HEADS => news.heads.extend(all::<HEAD_SIZE, _>(entries, read_head)?),
            ENDED => news.ended.extend(all::<ENDED_SIZE, _>(entries, read_ended)?),
            CELLS => news.cells.extend(all::<CELL_SIZE, _>(entries, read_cell)?),
            TAKEN => news.taken.extend(all::<TAKEN_SIZE, _>(entries, read_taken)?),
            STREAMS => news.streams.extend(all::<STREAM_SIZE, _>(entries, read_stream)?),
            GAP => news.has_gap = true,
            _ => {}
        }
    }
    Some(Message { node, sent_at, news })
}

struct Pages<H> {
    header: H,
    /// The time of the last page.
    last: Timestamp,
    largest: usize,
    pages: Vec<Vec<u8>>,
}

impl<H: Fn(Timestamp) -> Vec<u8>> Pages<H> {
    /// Writes the entries of one kind, over as many pages as they need.
    fn section<const N: usize>(&mut self, kind: u8, entries: impl Iterator<Item = [u8; N]>) {
        let mut entries = entries.peekable();
        while entries.peek().is_some() {
            let used = self.pages.last().map_or(self.largest, Vec::len);
            let room = self.largest.saturating_sub(used + SECTION) / N;
            if room == 0 && used > HEADER {
                self.last = self.last.plus(Duration::from_millis(1));
                self.pages.push((self.header)(self.last));
                continue;
            }
            let here: Vec<u8> = entries.by_ref().take(room.max(1)).flatten().collect();
            let length = u32::try_from(here.len()).unwrap_or(u32::MAX);
            if let Some(page) = self.pages.last_mut() {
                page.push(kind);
                page.extend_from_slice(&length.to_le_bytes());
                page.extend_from_slice(&here);
            }
        }
    }
}

fn head(hint: &Hint) -> [u8; HEAD_SIZE] {
    let mut entry = [0; HEAD_SIZE];
    entry[..16].copy_from_slice(hint.account.uuid().as_bytes());
    entry[16..20].copy_from_slice(&hint.era.0.to_le_bytes());
    entry[20..].copy_from_slice(&hint.head.to_le_bytes());
    entry
}

fn read_head(mut entry: &[u8]) -> Option<Hint> {
    Some(Hint {
        account: AccountId::from_uuid(uuid(&mut entry)?),
        era: Era(u32::from_le_bytes(take(&mut entry)?)),
        head: i64::from_le_bytes(take(&mut entry)?),
    })
}

fn ended((session, at): &(SessionId, Timestamp)) -> [u8; ENDED_SIZE] {
    let mut entry = [0; ENDED_SIZE];
    entry[..16].copy_from_slice(session.uuid().as_bytes());
    entry[16..].copy_from_slice(&at.millis().to_le_bytes());
    entry
}

fn read_ended(mut entry: &[u8]) -> Option<(SessionId, Timestamp)> {
    Some((SessionId::from_uuid(uuid(&mut entry)?), moment(&mut entry)?))
}

fn cell(changed: &ChangedCell) -> [u8; CELL_SIZE] {
    let mut entry = [0; CELL_SIZE];
    entry[..5].copy_from_slice(&changed.cell.key());
    entry[5..13].copy_from_slice(&changed.issued_at.millis().to_le_bytes());
    entry[13..].copy_from_slice(&changed.fetched_at.millis().to_le_bytes());
    entry
}

fn read_cell(mut entry: &[u8]) -> Option<ChangedCell> {
    Some(ChangedCell {
        cell: Cell::from_key(take(&mut entry)?)?,
        issued_at: moment(&mut entry)?,
        fetched_at: moment(&mut entry)?,
    })
}

fn taken(taken: &Taken) -> [u8; TAKEN_SIZE] {
    let mut entry = [0; TAKEN_SIZE];
    entry[0] = taken.limit;
    entry[1..17].copy_from_slice(&taken.bucket);
    entry[17..].copy_from_slice(&taken.cost.to_le_bytes());
    entry
}

fn read_taken(mut entry: &[u8]) -> Option<Taken> {
    let [limit] = take(&mut entry)?;
    let bucket: Tag = take(&mut entry)?;
    Some(Taken { limit, bucket, cost: u32::from_le_bytes(take(&mut entry)?) })
}

fn stream(open: &OpenStream) -> [u8; STREAM_SIZE] {
    let mut entry = [0; STREAM_SIZE];
    entry[..16].copy_from_slice(open.account.uuid().as_bytes());
    entry[16..24].copy_from_slice(&open.opened_at.millis().to_le_bytes());
    entry[24..].copy_from_slice(&[open.index, open.of]);
    entry
}

fn read_stream(mut entry: &[u8]) -> Option<OpenStream> {
    let account = AccountId::from_uuid(uuid(&mut entry)?);
    let opened_at = moment(&mut entry)?;
    let [index, of] = take(&mut entry)?;
    Some(OpenStream { account, opened_at, index, of })
}

/// The entries of a section; `None` when it does not hold whole ones, or one of them is impossible.
fn all<const N: usize, T>(entries: &[u8], read: impl Fn(&[u8]) -> Option<T>) -> Option<Vec<T>> {
    let chunks = entries.chunks_exact(N);
    chunks.remainder().is_empty().then(|| chunks.map(read).collect())?
}

fn uuid(bytes: &mut &[u8]) -> Option<Uuid> {
    take(bytes).map(Uuid::from_bytes)
}

fn moment(bytes: &mut &[u8]) -> Option<Timestamp> {
    take(bytes).map(i64::from_le_bytes).map(Timestamp::from_millis)
}

fn take<const N: usize>(bytes: &mut &[u8]) -> Option<[u8; N]> {
    let (head, rest) = bytes.split_first_chunk::<N>()?;
    *bytes = rest;
    Some(*head)
}

#[cfg(test)]
mod tests {
    use domain::{Coordinates, Random};
    use proptest::collection::vec;
    use proptest::prelude::*;
    use vault::ServerKey;

    use super::*;

    const NODE: NodeId = *b"a node!!";

    fn key(byte: u8) -> MacKey {
        let random = Random::new(move |bytes| bytes.fill(byte));
        MacKey::new(&ServerKey::generate(&random), "test").expect("a key")
    }

    fn nothing() -> Vec<u8> {
        encode(&key(1), NODE, Timestamp::default(), &News::default(), 100).remove(0)
    }

    /// A message of the installation with something in it that this release would not write.
    fn with(more: &[u8]) -> Vec<u8> {
        let mut message = nothing();
        message.truncate(HEADER);
        message.extend_from_slice(more);
        sign(&key(1), &mut message);
        message
    }

    fn news() -> impl Strategy<Value = News> {
        let id = || any::<u128>().prop_map(Uuid::from_u128);
        let moment = || any::<i64>().prop_map(Timestamp::from_millis);
        let cell = (-90.0..90.0f64, -180.0..180.0f64)
            .prop_map(|(lat, lon)| Cell::of(Coordinates::parse(lat, lon).expect("on earth"), 0.0));
        let head = (id(), any::<u32>(), any::<i64>()).prop_map(|(account, era, head)| Hint {
            account: AccountId::from_uuid(account),
            era: Era(era),
            head,
        });
        let changed = (cell, moment(), moment()).prop_map(|(cell, issued_at, fetched_at)| ChangedCell {
            cell,
            issued_at,
            fetched_at,
        });
        let taken = (any::<u8>(), any::<Tag>(), any::<u32>()).prop_map(|(limit, bucket, cost)| Taken {
            limit,
            bucket,
            cost,
        });
        let ended = (id().prop_map(SessionId::from_uuid), moment());
        let open = (id(), moment(), any::<u8>(), any::<u8>()).prop_map(|(account, opened_at, index, of)| {
            OpenStream { account: AccountId::from_uuid(account), opened_at, index, of }
        });
        let lists =
            (vec(head, 0..40), vec(ended, 0..40), vec(changed, 0..40), vec(taken, 0..40), vec(open, 0..40));
        (lists, any::<bool>()).prop_map(|((heads, ended, cells, taken, streams), has_gap)| News {
            heads,
            ended,
            cells,
            taken,
            streams,
            has_gap,
        })
    }

    proptest! {
        #[test]
        fn pages_are_small_and_together_say_everything(news in news(), largest in 80..2000usize) {
            let (mut together, key) = (News::default(), key(1));
            let pages = encode(&key, NODE, Timestamp::from_seconds(7), &news, largest);
            for (sent_at, page) in (7000..).zip(pages) {
                prop_assert!(page.len() <= largest, "{} of {largest}", page.len());
                let message = decode(&key, &page).expect("our own");
                prop_assert_eq!((message.node, message.sent_at), (NODE, Timestamp::from_millis(sent_at)));
                together.heads.extend(message.news.heads);
                together.ended.extend(message.news.ended);
                together.cells.extend(message.news.cells);
                together.taken.extend(message.news.taken);
                together.streams.extend(message.news.streams);
                together.has_gap |= message.news.has_gap;
            }
            prop_assert_eq!(together, news);
        }

        #[test]
        fn any_bytes_are_read_without_harm(bytes in vec(any::<u8>(), 0..200)) {
            prop_assert!(decode(&key(1), &bytes).is_err());
            let _ = decode(&key(1), &with(&bytes));
        }
    }

    #[test]
    fn a_message_that_says_nothing_is_one_message() {
        let pages = encode(&key(1), NODE, Timestamp::from_seconds(1), &News::default(), 100);
        assert_eq!(pages.len(), 1);
        assert_eq!(decode(&key(1), &pages[0]).map(|message| message.news), Ok(News::default()));
    }

    #[test]
    fn what_another_release_adds_is_passed_over() {
        let news = News { has_gap: true, ..News::default() };
        let mut message = with(&[200, 3, 0, 0, 0, 1, 2, 3, GAP, 1, 0, 0, 0, 0]);
        assert_eq!(decode(&key(1), &message).map(|message| message.news), Ok(news));
        message[0] = VERSION + 1;
        assert_eq!(decode(&key(1), &message), Err(Refused::Unknown));
    }

    #[test]
    fn what_no_node_of_the_installation_wrote_is_refused() {
        let message = nothing();
        assert!(decode(&key(1), &message).is_ok());
        assert_eq!(decode(&key(2), &message), Err(Refused::Forged));
        // All but the version, which is looked at first.
        for bit in 8..message.len() * 8 {
            let mut changed = message.clone();
            changed[bit / 8] ^= 1 << (bit % 8);
            assert_eq!(decode(&key(1), &changed), Err(Refused::Forged), "bit {bit}");
        }
        for length in 0..message.len() {
            assert!(decode(&key(1), &message[..length]).is_err(), "{length} bytes");
        }
    }
}
