//! Names that differ from what was typed by one or two typos. A swap of neighbouring letters is one typo.

use std::ops::RangeInclusive;
use std::sync::LazyLock;

use levenshtein_automata::{DFA, LevenshteinAutomatonBuilder};

use super::hits::Hits;
use super::reading::Reading;
use crate::atlas::Atlas;
use crate::fold::length;
use crate::walk::Walk;
use crate::weight;

// Both take a few milliseconds to make and serve every search from then on.
static ONE_TYPO: LazyLock<LevenshteinAutomatonBuilder> =
    LazyLock::new(|| LevenshteinAutomatonBuilder::new(1, true));
static TWO_TYPOS: LazyLock<LevenshteinAutomatonBuilder> =
    LazyLock::new(|| LevenshteinAutomatonBuilder::new(2, true));

/// Letters of the shortest name with one typo, and with two. In shorter ones a typo makes too many other names.
const SHORTEST: usize = 4;
const SHORTEST_TWO: usize = 6;
/// Letters of the longest one: an automaton's size grows with the name. Longer names are found by their beginning.
const LONGEST: usize = 40;
const LONGEST_TWO: usize = 24;
/// Places kept of one walk.
const KEPT: usize = 24;
/// Nodes looked at in one walk.
const BUDGET: usize = 6_000;
const BUDGET_TWO: usize = 12_000;
/// Points for a whole name with one typo and with two; for a beginning with a typo these less [`BEGINNING`].
const POINTS: [f32; 3] = [2.0, 1.7, 1.2];
const BEGINNING: f32 = 0.5;
/// A hit of strict search with this many points is what was meant: no typos are looked for.
const STRONG: f32 = 4.3;

/// Names with one typo, unless what was found without is surely meant.
pub(super) fn one_typo(atlas: &Atlas, reading: &Reading, hits: &mut Hits) {
    let Some(mut lenient) = Lenient::new(atlas, reading, hits, SHORTEST..=LONGEST) else { return };
    if lenient.hits.best().is_none_or(|best| best < STRONG) {
        lenient.walk(&ONE_TYPO.build_dfa(&reading.name), "", BUDGET, 0.0);
    }
    if lenient.hits.best().is_none() {
        lenient.walk(&ONE_TYPO.build_prefix_dfa(&reading.name), "", BUDGET, BEGINNING);
    }
}

/// Names with two typos, if nothing else was found.
pub(super) fn two_typos(atlas: &Atlas, reading: &Reading, hits: &mut Hits) {
    let Some(mut lenient) = Lenient::new(atlas, reading, hits, SHORTEST_TWO..=LONGEST_TWO) else { return };
    if lenient.hits.best().is_some() {
        return;
    }
    // The first letter is seldom the wrong one, and with it fixed the walk is a twentieth of the whole.
    let first = reading.name.chars().next().map_or(0, char::len_utf8);
    let two = TWO_TYPOS.build_dfa(&reading.name);
    lenient.walk(&two, &reading.name[..first], BUDGET_TWO, 0.0);
    if lenient.hits.best().is_none() && lenient.typed > SHORTEST_TWO {
        lenient.walk(&TWO_TYPOS.build_prefix_dfa(&reading.name), &reading.name[..first], BUDGET, BEGINNING);
    }
    if lenient.hits.best().is_none() {
        lenient.walk(&two, "", BUDGET_TWO, 0.0);
    }
}

struct Lenient<'a> {
    atlas: &'a Atlas,
    reading: &'a Reading,
    typed: usize,
    hits: &'a mut Hits,
}

impl<'a> Lenient<'a> {
    /// `None` if the name is not one in which typos are looked for.
    fn new(
        atlas: &'a Atlas,
        reading: &'a Reading,
        hits: &'a mut Hits,
        letters: RangeInclusive<usize>,
    ) -> Option<Self> {
        let typed = length(&reading.name);
        let wanted = letters.contains(&typed) && !is_ideographic(&reading.name);
        wanted.then_some(Self { atlas, reading, typed, hits })
    }

    fn walk(&mut self, dfa: &DFA, prefix: &str, budget: usize, off: f32) {
        let atlas = self.atlas;
        // A name is of interest only if with all its points it could stand before what was found strictly.
        let ceiling = self.hits.best().map_or(u64::MAX, |best| {
            atlas.names.first_rank_below(best - POINTS[1] + off + self.reading.penalty, |posting| {
                let weight = atlas.record(posting.ordinal()).map_or(0, |record| record.weight);
                weight::points(weight) - posting.penalty()
            })
        });
        let mut kept = 0;
        for found in Walk::new(atlas.names.fst.as_fst(), prefix, dfa, budget, ceiling) {
            for posting in atlas.names.postings(found.rank).take(KEPT) {
                let Some(record) = atlas.record(posting.ordinal()) else { continue };
                if self.reading.scope.as_ref().is_some_and(|scope| !scope.holds(&record)) {
                    continue;
                }
                let beyond = found.letters.saturating_sub(self.typed + usize::from(found.typos));
                let unfinished = if beyond == 0 { 0.0 } else { off };
                let points = POINTS[usize::from(found.typos).min(2)] - unfinished;
                let text = points - posting.penalty() - self.reading.penalty;
                self.hits.add(posting.ordinal(), text, text + weight::points(record.weight));
                kept += 1;
            }
            if kept >= KEPT {
                break;
            }
        }
    }
}

/// Chinese characters and Japanese syllables: one of them is a word or half of one, never a typo.
fn is_ideographic(name: &str) -> bool {
    name.chars()
        .any(|c| matches!(c, '\u{3040}'..='\u{30ff}' | '\u{3400}'..='\u{9fff}' | '\u{20000}'..='\u{3ffff}'))
}
