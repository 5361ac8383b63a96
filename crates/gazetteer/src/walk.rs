//! Names of an index, best first, below a prefix or within some typos of what was typed.

use std::cmp::Ordering;
use std::collections::BinaryHeap;

use fst::raw::{CompiledAddr, Fst};
use levenshtein_automata::{DFA, Distance, SINK_STATE};

/// Which names a walk may take, read byte by byte.
pub(crate) trait Guide {
    type State: Copy;
    fn start(&self) -> Self::State;
    /// `None`: no name from here on is wanted.
    fn step(&self, state: Self::State, byte: u8) -> Option<Self::State>;
    /// The number of typos, if a name that ends here is wanted.
    fn accepts(&self, state: Self::State) -> Option<u8>;
}

/// Every name.
pub(crate) struct Everything;

impl Guide for Everything {
    type State = ();

    fn start(&self) {}

    fn step(&self, (): (), _: u8) -> Option<()> {
        Some(())
    }

    fn accepts(&self, (): ()) -> Option<u8> {
        Some(0)
    }
}

impl Guide for DFA {
    type State = u32;

    fn start(&self) -> u32 {
        self.initial_state()
    }

    fn step(&self, state: u32, byte: u8) -> Option<u32> {
        Some(self.transition(state, byte)).filter(|state| *state != SINK_STATE)
    }

    fn accepts(&self, state: u32) -> Option<u8> {
        match self.distance(state) {
            Distance::Exact(typos) => Some(typos),
            Distance::AtLeast(_) => None,
        }
    }
}

/// A name that a walk came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Found {
    pub rank: u64,
    /// Letters of the whole name.
    pub letters: usize,
    pub typos: u8,
}

/// An open end: a node to go on from, or a name to be handed out when its turn comes.
struct End<S> {
    rank: u64,
    node: Option<CompiledAddr>,
    letters: u16,
    state: S,
}

impl<S> PartialEq for End<S> {
    fn eq(&self, other: &Self) -> bool {
        self.rank == other.rank
    }
}

impl<S> Eq for End<S> {}

impl<S> PartialOrd for End<S> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl<S> Ord for End<S> {
    fn cmp(&self, other: &Self) -> Ordering {
        // The heap hands out its greatest: the smallest rank. Ranks below two open ends never tie.
        other.rank.cmp(&self.rank)
    }
}

/// An iterator over names, the smallest rank first.
pub(crate) struct Walk<'f, D, G: Guide> {
    fst: &'f Fst<D>,
    guide: &'f G,
    open: BinaryHeap<End<G::State>>,
    /// Nodes that may still be looked at: what bounds the work, and the memory with it.
    budget: usize,
    /// Ranks from here on are of no interest.
    ceiling: u64,
}

impl<'f, D: AsRef<[u8]>, G: Guide> Walk<'f, D, G> {
    /// Names that begin with `prefix` and that `guide` wants. It looks at no more than `budget` nodes
    /// and finds only ranks below `ceiling`.
    pub(crate) fn new(fst: &'f Fst<D>, prefix: &str, guide: &'f G, budget: usize, ceiling: u64) -> Self {
        let mut open = BinaryHeap::new();
        let mut node = fst.root();
        let mut rank = 0;
        let mut reached = Some(guide.start());
        for byte in prefix.bytes() {
            reached = reached.and_then(|state| guide.step(state, byte));
            let Some(index) = node.find_input(byte) else {
                reached = None;
                break;
            };
            let transition = node.transition(index);
            rank += transition.out.value();
            node = fst.node(transition.addr);
        }
        if let Some(state) = reached {
            let letters = prefix.chars().count().min(usize::from(u16::MAX)) as u16;
            open.push(End { rank, node: Some(node.addr()), letters, state });
        }
        Self { fst, guide, open, budget, ceiling }
    }
}

impl<D: AsRef<[u8]>, G: Guide> Iterator for Walk<'_, D, G> {
    type Item = Found;

    fn next(&mut self) -> Option<Found> {
        while let Some(end) = self.open.pop() {
            let End { rank, mut node, mut letters, mut state } = end;
            let Some(mut address) = node.take() else {
                let typos = self.guide.accepts(state)?;
                return Some(Found { rank, letters: usize::from(letters), typos });
            };
            // One way out of every node leads to the best name below it and keeps the rank: it is followed on the
            // spot, the others wait in the heap.
            loop {
                if self.budget == 0 {
                    return None;
                }
                self.budget -= 1;
                let here = self.fst.node(address);
                let mut found = None;
                let mut ahead = None;
                if here.is_final()
                    && let Some(typos) = self.guide.accepts(state)
                {
                    match here.final_output().value() {
                        0 if rank < self.ceiling => {
                            found = Some(Found { rank, letters: usize::from(letters), typos });
                        }
                        more if rank + more < self.ceiling => {
                            self.open.push(End { rank: rank + more, node: None, letters, state });
                        }
                        _ => {}
                    }
                }
                for transition in here.transitions() {
                    let rank = rank + transition.out.value();
                    if rank >= self.ceiling {
                        continue;
                    }
                    let Some(state) = self.guide.step(state, transition.inp) else { continue };
                    let letters = letters.saturating_add(u16::from(starts_letter(transition.inp)));
                    // While a name is handed out from here nothing can be followed on the spot.
                    if transition.out.is_zero() && found.is_none() && ahead.is_none() {
                        ahead = Some((transition.addr, letters, state));
                    } else {
                        self.open.push(End { rank, node: Some(transition.addr), letters, state });
                    }
                }
                if found.is_some() {
                    return found;
                }
                match ahead {
                    Some(next) => (address, letters, state) = next,
                    None => break,
                }
            }
        }
        None
    }
}

/// Whether a byte of UTF-8 is the first one of a letter.
fn starts_letter(byte: u8) -> bool {
    byte & 0xc0 != 0x80
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use fst::Map;
    use levenshtein_automata::LevenshteinAutomatonBuilder;
    use proptest::prelude::*;

    use super::*;

    fn map(ranks: &BTreeMap<String, u64>) -> Map<Vec<u8>> {
        Map::from_iter(ranks.iter().map(|(name, rank)| (name, *rank))).expect("sorted keys")
    }

    proptest! {
        #[test]
        fn names_below_a_prefix_come_in_order_of_rank_and_none_is_missing(
            names in proptest::collection::btree_set("[abä]{1,6}", 1..60), prefix in "[abä]{0,3}", seed in any::<u64>(),
        ) {
            let mut order: Vec<&String> = names.iter().collect();
            order.sort_by_key(|name| name.bytes().fold(seed, |sum, b| (sum ^ u64::from(b)).wrapping_mul(0x9e37_79b9_7f4a_7c15)));
            let ranks: BTreeMap<String, u64> = order.iter().enumerate().map(|(rank, name)| ((*name).clone(), rank as u64)).collect();
            let expected: Vec<u64> = order.iter().enumerate().filter(|(_, name)| name.starts_with(&prefix)).map(|(rank, _)| rank as u64).collect();
            let map = map(&ranks);
            let found: Vec<Found> = Walk::new(map.as_fst(), &prefix, &Everything, usize::MAX, u64::MAX).collect();
            prop_assert_eq!(found.iter().map(|f| f.rank).collect::<Vec<_>>(), expected.clone());
            for found in found {
                prop_assert_eq!(found.letters, order[found.rank as usize].chars().count());
            }
            let ceiling = expected.len() as u64 / 2;
            let low: Vec<u64> = Walk::new(map.as_fst(), &prefix, &Everything, usize::MAX, ceiling).map(|f| f.rank).collect();
            prop_assert_eq!(low, expected.into_iter().filter(|rank| *rank < ceiling).collect::<Vec<_>>());
        }

        #[test]
        fn typo_walks_find_what_reading_every_name_finds(
            names in proptest::collection::btree_set("[abc]{1,6}", 1..60), typed in "[abc]{1,6}",
        ) {
            let ranks: BTreeMap<String, u64> = names.iter().enumerate().map(|(rank, name)| (name.clone(), rank as u64)).collect();
            let map = map(&ranks);
            let dfa = LevenshteinAutomatonBuilder::new(1, true).build_dfa(&typed);
            let found: Vec<u64> = Walk::new(map.as_fst(), "", &dfa, usize::MAX, u64::MAX).map(|f| f.rank).collect();
            let expected: Vec<u64> = ranks.iter().filter(|(name, _)| matches!(dfa.eval(name), Distance::Exact(_))).map(|(_, rank)| *rank).collect();
            prop_assert_eq!(found, expected);
        }
    }

    #[test]
    fn a_walk_stops_at_its_budget() {
        let ranks: BTreeMap<String, u64> = (0..500).map(|n| (format!("{n:04}"), n)).collect();
        let map = map(&ranks);
        assert!(Walk::new(map.as_fst(), "", &Everything, 50, u64::MAX).count() < 50);
        assert_eq!(Walk::new(map.as_fst(), "9", &Everything, 50, u64::MAX).count(), 0);
    }
}
