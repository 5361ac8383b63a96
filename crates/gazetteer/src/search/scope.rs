//! The country or area that a hit must lie in.

use crate::atlas::Atlas;
use crate::fold::length;
use crate::place::Kind;
use crate::record::{NONE, Record};
use crate::walk::{Everything, Walk};

/// One or more countries or areas, by their indexes in records. "CA" is California and Canada.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Scope {
    countries: Vec<u16>,
    areas: Vec<u16>,
}

/// Countries and areas that one text may stand for at most.
const MOST: usize = 24;
/// Nodes looked at for a half-typed one.
const BUDGET: usize = 400;
/// Letters from which a half-typed country or area counts.
const SHORTEST_PREFIX: usize = 2;

impl Scope {
    /// Countries and areas of exactly this folded name or code.
    pub(super) fn exact(atlas: &Atlas, name: &str) -> Option<Self> {
        let mut scope = Self::default();
        for posting in atlas.qualifiers.exact(name).take(MOST) {
            scope.add(atlas, posting.ordinal());
        }
        scope.if_any()
    }

    /// Of exactly this name, else those whose name begins with it.
    pub(super) fn typed(atlas: &Atlas, name: &str) -> Option<Self> {
        if let Some(exact) = Self::exact(atlas, name) {
            return Some(exact);
        }
        if length(name) < SHORTEST_PREFIX {
            return None;
        }
        let mut scope = Self::default();
        let walk = Walk::new(atlas.qualifiers.fst.as_fst(), name, &Everything, BUDGET, u64::MAX);
        for found in walk.take(MOST) {
            for posting in atlas.qualifiers.postings(found.rank).take(MOST) {
                scope.add(atlas, posting.ordinal());
            }
        }
        scope.if_any()
    }

    fn add(&mut self, atlas: &Atlas, ordinal: u32) {
        let Some(record) = atlas.record(ordinal) else { return };
        match record.kind {
            Kind::Country if record.country != NONE => self.countries.push(record.country),
            Kind::Area if record.area != NONE => self.areas.push(record.area),
            _ => {}
        }
    }

    fn if_any(self) -> Option<Self> {
        (!self.countries.is_empty() || !self.areas.is_empty()).then_some(self)
    }

    pub(super) fn holds(&self, record: &Record) -> bool {
        // "Portugal" in Portugal is the country, not something that lies in it.
        record.kind != Kind::Country
            && (self.countries.contains(&record.country) || self.areas.contains(&record.area))
    }
}
