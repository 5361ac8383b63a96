//! The best places for the first keystrokes. Below one to three letters lie thousands of names; ranking them once
//! here spares every user's first keystrokes that work.

use std::collections::{BTreeMap, HashSet};

use domain::{Error, Result};

use crate::fold::length;
use crate::index::{self, Posting};

/// Letters of the longest prefix in the table.
const LETTERS: usize = 3;
/// Places kept per prefix. Prefixes with no more than this are not worth an entry.
const KEPT: usize = 64;

/// Points for a name of which a prefix is typed: the more of it, the more.
pub(crate) fn prefix_points(typed: usize, whole: usize) -> f32 {
    1.2 + 0.8 * typed as f32 / whole.max(1) as f32
}

/// The sections `Short` and `ShortLists`.
pub(super) fn build(
    names: &BTreeMap<String, Vec<Posting>>,
    worth: impl Fn(Posting) -> f32,
) -> Result<(Vec<u8>, Vec<u8>)> {
    let mut found: BTreeMap<&str, Vec<(f32, Posting)>> = BTreeMap::new();
    for (name, postings) in names {
        let whole = length(name);
        let ends = name.char_indices().skip(1).map(|(at, _)| at).chain([name.len()]).take(LETTERS);
        for (typed, end) in (1..).zip(ends) {
            let best = found.entry(&name[..end]).or_default();
            for posting in postings {
                let points = prefix_points(typed, whole) + worth(*posting);
                best.push((points, posting.with_length(whole)));
            }
            // Trimmed now and then, so that "a" does not hold a tenth of the world.
            if best.len() > 64 * KEPT {
                keep_best(best, 8 * KEPT);
            }
        }
    }
    let mut lists = Vec::new();
    let mut builder = fst::MapBuilder::memory();
    for (prefix, mut best) in found {
        if best.len() <= KEPT {
            continue;
        }
        keep_best(&mut best, KEPT);
        let postings: Vec<Posting> = best.into_iter().map(|(_, posting)| posting).collect();
        builder.insert(prefix, (lists.len() / 4) as u64).map_err(Error::internal)?;
        index::push_list(&mut lists, &postings);
    }
    Ok((builder.into_inner().map_err(Error::internal)?, lists))
}

/// The best of each place, and of those the best.
fn keep_best(found: &mut Vec<(f32, Posting)>, count: usize) {
    found.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1)));
    let mut seen = HashSet::new();
    found.retain(|(_, posting)| seen.len() < count && seen.insert(posting.ordinal()));
}
