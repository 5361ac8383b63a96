//! Names that are, or begin with, what was typed.

use domain::Coordinates;

use super::hits::{EXACT, Hits};
use super::reading::Reading;
use crate::atlas::Atlas;
use crate::build::short::prefix_points;
use crate::fold::{fold_into, length};
use crate::index::Posting;
use crate::walk::{Everything, Walk};
use crate::weight;

/// Places of one name that are looked at where the wanted one may be any of them, being nearby or in an area.
const NAMESAKES: usize = 4_000;
/// Places kept of one name otherwise, and of all names with one beginning.
const KEPT: usize = 64;
/// Nodes looked at below a prefix, and if most that is found lies outside of the area.
const BUDGET: usize = 3_000;
const SCOPED_BUDGET: usize = 12_000;
/// Where "near" looks for places that are too small to be among the best of a prefix. `near` itself is a whole
/// degree, 60 km off at worst.
const AROUND_M: f64 = 120_000.0;
const AROUND: usize = 128;

pub(super) fn search(atlas: &Atlas, reading: &Reading, near: Option<Coordinates>, hits: &mut Hits) {
    let mut collector = Collector { atlas, reading, hits, kept: 0 };
    let particular = near.is_some() || reading.scope.is_some();
    for posting in atlas.names.exact(&reading.name).take(if particular { NAMESAKES } else { KEPT }) {
        collector.take(posting, EXACT);
    }
    collector.kept = 0;
    let typed = length(&reading.name);
    let short = if reading.scope.is_none() { atlas.short(&reading.name) } else { None };
    if let Some(best) = short {
        for posting in best {
            collector.take(posting, prefix_points(typed, posting.length()));
        }
    } else {
        let budget = if reading.scope.is_some() { SCOPED_BUDGET } else { BUDGET };
        for found in Walk::new(atlas.names.fst.as_fst(), &reading.name, &Everything, budget, u64::MAX) {
            for posting in atlas.names.postings(found.rank).take(if particular { NAMESAKES } else { KEPT }) {
                collector.take(posting, prefix_points(typed, found.letters));
            }
            if collector.kept >= KEPT {
                break;
            }
        }
    }
    if let Some(near) = near {
        collector.around(near, typed);
    }
}

struct Collector<'a> {
    atlas: &'a Atlas,
    reading: &'a Reading,
    hits: &'a mut Hits,
    kept: usize,
}

impl Collector<'_> {
    fn take(&mut self, posting: Posting, points: f32) {
        let Some(record) = self.atlas.record(posting.ordinal()) else { return };
        if self.reading.scope.as_ref().is_some_and(|scope| !scope.holds(&record)) {
            return;
        }
        let text = points - posting.penalty() - self.reading.penalty;
        self.hits.add(posting.ordinal(), text, text + weight::points(record.weight));
        self.kept += 1;
    }

    /// The best places around a point whose own name begins with what was typed.
    fn around(&mut self, near: Coordinates, typed: usize) {
        let mut folded = String::new();
        for ordinal in self.atlas.weightiest_around(near, AROUND_M, AROUND) {
            let Some(record) = self.atlas.record(ordinal) else { continue };
            fold_into(self.atlas.text(record.name), &mut folded);
            if folded.starts_with(&self.reading.name) {
                let whole = length(&folded);
                let points = if whole == typed { EXACT } else { prefix_points(typed, whole) };
                self.take(Posting::new(ordinal), points);
            }
        }
    }
}
