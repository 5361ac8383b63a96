//! Folded names and the places that bear them.
//!
//! An fst maps each name to its *rank*: 0 is the name whose best place weighs most. The fst pushes the smallest value
//! below a node up to that node, so a walk knows at every node the rank of the best name still to come, and can take
//! names best first without seeing the rest (see [`crate::walk`]).
//!
//! `entries[rank]` is one u32: a [`Posting`], or with the highest bit set the position of a list in `lists`, which is
//! a count and that many postings, weightiest place first.

use std::collections::BTreeMap;

use domain::{Error, Result};
use fst::Map;

use crate::format::Part;

const LIST: u32 = 1 << 31;
const ALTERNATE: u32 = 1 << 24;
const INNER: u32 = 1 << 25;
const LENGTH_AT: u32 = 26;
const LENGTH_MOST: u32 = 31;
pub(crate) const ORDINALS: u32 = 1 << 24;

/// One place under one name, and what the name is to the place.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Posting(u32);

impl Posting {
    pub(crate) fn new(ordinal: u32) -> Self {
        Self(ordinal & (ORDINALS - 1))
    }

    /// The name is not the place's first one.
    pub(crate) fn alternate(self) -> Self {
        Self(self.0 | ALTERNATE)
    }

    /// The name starts at a later word of the place's name.
    pub(crate) fn inner(self) -> Self {
        Self(self.0 | INNER)
    }

    /// Notes the letters of the whole name, where the name itself is not at hand.
    pub(crate) fn with_length(self, letters: usize) -> Self {
        let letters = u32::try_from(letters).unwrap_or(LENGTH_MOST).min(LENGTH_MOST);
        Self(self.0 & !(LENGTH_MOST << LENGTH_AT) | letters << LENGTH_AT)
    }

    pub(crate) fn ordinal(self) -> u32 {
        self.0 & (ORDINALS - 1)
    }

    pub(crate) fn length(self) -> usize {
        (self.0 >> LENGTH_AT & LENGTH_MOST) as usize
    }

    /// Points off because of what the name is to the place.
    pub(crate) fn penalty(self) -> f32 {
        (if self.0 & ALTERNATE != 0 { 0.5 } else { 0.0 }) + (if self.0 & INNER != 0 { 0.9 } else { 0.0 })
    }
}

/// Names inside a mapped file.
pub(crate) struct Index {
    pub fst: Map<Part>,
    entries: Part,
    lists: Part,
}

impl Index {
    pub(crate) fn open(fst: Part, entries: Part, lists: Part) -> Result<Self> {
        Ok(Self { fst: open_fst(fst)?, entries, lists })
    }

    /// Places of exactly this folded name, weightiest first; nothing if nobody bears it.
    pub(crate) fn exact(&self, name: &str) -> Postings<'_> {
        self.fst.get(name).map_or(Postings::Done, |rank| self.postings(rank))
    }

    pub(crate) fn postings(&self, rank: u64) -> Postings<'_> {
        match usize::try_from(rank).ok().and_then(|rank| self.entries.u32(rank)) {
            None => Postings::Done,
            Some(entry) if entry & LIST == 0 => Postings::One(Posting(entry)),
            Some(entry) => list(&self.lists, entry & !LIST),
        }
    }

    /// The first rank whose best posting is worth less than `points` by `worth`: names from there on cannot reach it.
    pub(crate) fn first_rank_below(&self, points: f32, worth: impl Fn(Posting) -> f32) -> u64 {
        let (mut low, mut high) = (0, self.entries.u32_len());
        while low < high {
            let middle = low + (high - low) / 2;
            let best = self.postings(middle as u64).map(&worth).fold(f32::MIN, f32::max);
            if best >= points { low = middle + 1 } else { high = middle }
        }
        low as u64
    }
}

/// Opens an fst of ours.
pub(crate) fn open_fst(part: Part) -> Result<Map<Part>> {
    Map::new(part).map_err(|error| Error::internal(format!("the places file's names are damaged: {error}")))
}

/// The postings of a list: a count, then that many.
pub(crate) fn list(lists: &Part, at: u32) -> Postings<'_> {
    let at = at as usize;
    match lists.u32(at) {
        Some(count) => Postings::List { lists, next: at + 1, end: (at + 1).saturating_add(count as usize) },
        None => Postings::Done,
    }
}

/// Iterates over postings without copying them.
pub(crate) enum Postings<'a> {
    Done,
    One(Posting),
    List { lists: &'a Part, next: usize, end: usize },
}

impl Iterator for Postings<'_> {
    type Item = Posting;

    fn next(&mut self) -> Option<Posting> {
        match self {
            Self::Done => None,
            Self::One(posting) => {
                let posting = *posting;
                *self = Self::Done;
                Some(posting)
            }
            Self::List { lists, next, end } => {
                if next >= end {
                    return None;
                }
                let posting = lists.u32(*next).map(Posting);
                *next += 1;
                posting
            }
        }
    }
}

/// The three sections of an index.
pub(crate) struct Built {
    pub fst: Vec<u8>,
    pub entries: Vec<u8>,
    pub lists: Vec<u8>,
}

/// Writes an index. `worth` is what a posting counts before any question is known.
pub(crate) fn build(
    mut names: BTreeMap<String, Vec<Posting>>,
    worth: impl Fn(Posting) -> f32,
) -> Result<Built> {
    let mut ranking = Vec::with_capacity(names.len());
    for (number, postings) in names.values_mut().enumerate() {
        merge_per_place(postings);
        let best = postings.iter().map(|posting| worth(*posting)).fold(f32::MIN, f32::max);
        ranking.push((best, number));
    }
    ranking.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1)));
    let mut rank_of = vec![0_u64; ranking.len()];
    for (rank, (_, number)) in ranking.iter().enumerate() {
        rank_of[*number] = rank as u64;
    }

    let mut builder = fst::MapBuilder::memory();
    let mut entries = vec![0; ranking.len() * 4];
    let mut lists: Vec<u8> = Vec::new();
    for ((name, postings), rank) in names.iter().zip(rank_of) {
        builder.insert(name, rank).map_err(Error::internal)?;
        let entry = match postings.as_slice() {
            [single] => single.0,
            many => {
                let at = u32::try_from(lists.len() / 4).ok().filter(|at| at & LIST == 0);
                push_list(&mut lists, many);
                at.ok_or_else(|| Error::internal("too many names"))? | LIST
            }
        };
        let at = rank as usize * 4;
        entries[at..at + 4].copy_from_slice(&entry.to_le_bytes());
    }
    Ok(Built { fst: builder.into_inner().map_err(Error::internal)?, entries, lists })
}

/// Writes one list for [`list`].
pub(crate) fn push_list(lists: &mut Vec<u8>, postings: &[Posting]) {
    lists.extend_from_slice(&(postings.len() as u32).to_le_bytes());
    for posting in postings {
        lists.extend_from_slice(&posting.0.to_le_bytes());
    }
}

/// One posting per place, the one with the smallest penalty; weightiest place first.
fn merge_per_place(postings: &mut Vec<Posting>) {
    postings.sort_by(|a, b| {
        a.ordinal().cmp(&b.ordinal()).then(a.penalty().total_cmp(&b.penalty())).then(a.cmp(b))
    });
    postings.dedup_by_key(|posting| posting.ordinal());
}
