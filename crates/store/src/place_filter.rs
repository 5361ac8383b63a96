//! Which places an account may have saved: a small Bloom filter kept with its log.
//!
//! Each new favourite asks whether its place is there already. The answer is nearly always no, and then nothing
//! has to be read. A place that was removed stays in the filter; that costs a look, never a wrong answer.

/// One bit in 512: an account of ten favourites looks in vain once in fifty times, one of a hundred once in six.
const BYTES: usize = 64;

/// Empty for a new account, so that it costs nothing there.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct PlaceFilter(Vec<u8>);

impl PlaceFilter {
    pub(crate) fn stored(bytes: Vec<u8>) -> Self {
        Self(bytes)
    }

    pub(crate) fn bytes(&self) -> &[u8] {
        &self.0
    }

    /// `false` only when no favourite with this tag was ever noted.
    pub(crate) fn may_have(&self, place_tag: i64) -> bool {
        let (byte, bit) = spot(place_tag);
        self.0.get(byte).is_some_and(|bits| bits & bit != 0)
    }

    pub(crate) fn note(&mut self, place_tag: i64) {
        let (byte, bit) = spot(place_tag);
        self.0.resize(BYTES, 0);
        if let Some(bits) = self.0.get_mut(byte) {
            *bits |= bit;
        }
    }
}

/// Tags are keyed hashes: any nine bits of one are as good as others.
fn spot(place_tag: i64) -> (usize, u8) {
    let [low, high, ..] = place_tag.to_le_bytes();
    (usize::from(low) % BYTES, 1 << (high % 8))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn what_was_noted_is_never_denied(tags in prop::collection::vec(any::<i64>(), 0..40)) {
            let mut filter = PlaceFilter::default();
            for tag in &tags {
                filter.note(*tag);
            }
            let filter = PlaceFilter::stored(filter.bytes().to_vec());
            prop_assert!(tags.iter().all(|tag| filter.may_have(*tag)));
        }
    }

    #[test]
    fn a_new_account_has_nothing_and_ten_places_leave_most_free() {
        let mut filter = PlaceFilter::default();
        assert!(!filter.may_have(0));
        assert!(filter.bytes().is_empty());
        let tag = |n: i64| n.wrapping_mul(0x9E37_79B9_7F4A_7C15_u64.cast_signed()) >> 16;
        (0..10).for_each(|n| filter.note(tag(n)));
        let vain = (10..1010).filter(|n| filter.may_have(tag(*n))).count();
        assert!(vain < 60, "{vain} of 1000");
    }
}
