//! What a search found so far.

use std::collections::HashMap;

/// Points for a whole name as it was typed.
pub(super) const EXACT: f32 = 3.0;

/// Places and how well the best of their names fits what was typed.
#[derive(Default)]
pub(super) struct Hits {
    text: HashMap<u32, f32>,
    best: Option<f32>,
}

impl Hits {
    /// Notes a place with the points of a name, and with its points of name and weight together.
    pub(super) fn add(&mut self, ordinal: u32, text: f32, total: f32) {
        let known = self.text.entry(ordinal).or_insert(text);
        *known = known.max(text);
        self.best = Some(self.best.map_or(total, |best| best.max(total)));
    }

    /// Points of the best hit, without nearness.
    pub(super) fn best(&self) -> Option<f32> {
        self.best
    }

    pub(super) fn into_iter(self) -> impl Iterator<Item = (u32, f32)> {
        self.text.into_iter()
    }
}
