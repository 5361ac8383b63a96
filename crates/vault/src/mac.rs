//! Message authentication: a tag shows that bytes come from somebody who holds the same key, and are unchanged.

use std::fmt;

use aws_lc_rs::{constant_time, hmac};
use domain::Result;

use crate::server_key::ServerKey;

/// A tag of 128 bits, for what must not collide by chance or by intent.
pub type Tag = [u8; 16];

/// Authenticates what passes through places where outsiders may write.
pub struct MacKey(hmac::Key);

impl MacKey {
    /// The key of one purpose; fails with `Internal` when the library does.
    pub fn new(key: &ServerKey, purpose: &str) -> Result<Self> {
        key.derive(&[], purpose).map(Self)
    }

    /// The tag of these parts in this order.
    pub fn tag(&self, parts: &[&[u8]]) -> Tag {
        tag(&self.0, parts)
    }

    /// Whether this is their tag. Takes the same time wherever the first wrong byte is.
    pub fn is_valid(&self, parts: &[&[u8]], tag: &Tag) -> bool {
        constant_time::verify_slices_are_equal(&self.tag(parts), tag).is_ok()
    }
}

impl fmt::Debug for MacKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("MacKey(…)")
    }
}

/// HMAC-SHA-256 over the parts, each with its length before it so that no two lists give the same bytes.
pub(crate) fn digest(key: &hmac::Key, parts: &[&[u8]]) -> [u8; 32] {
    let mut context = hmac::Context::with_key(key);
    for part in parts {
        context.update(&(part.len() as u64).to_be_bytes());
        context.update(part);
    }
    context.sign().as_ref().first_chunk().copied().unwrap_or_default()
}

/// The first half of the digest.
pub(crate) fn tag(key: &hmac::Key, parts: &[&[u8]]) -> Tag {
    digest(key, parts).first_chunk().copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::random;

    #[test]
    fn a_tag_is_valid_for_its_key_purpose_and_parts_alone() -> Result<()> {
        let server = ServerKey::generate(&random(1));
        let key = MacKey::new(&server, "a")?;
        let tag = key.tag(&[b"ab", b"c"]);
        assert!(MacKey::new(&server, "a")?.is_valid(&[b"ab", b"c"], &tag));
        assert!(!key.is_valid(&[b"a", b"bc"], &tag) && !key.is_valid(&[b"ab", b"d"], &tag));
        assert!(!MacKey::new(&server, "b")?.is_valid(&[b"ab", b"c"], &tag));
        assert!(!MacKey::new(&ServerKey::generate(&random(2)), "a")?.is_valid(&[b"ab", b"c"], &tag));
        for bit in 0..tag.len() * 8 {
            let mut tag = tag;
            tag[bit / 8] ^= 1 << (bit % 8);
            assert!(!key.is_valid(&[b"ab", b"c"], &tag), "bit {bit}");
        }
        Ok(())
    }
}
