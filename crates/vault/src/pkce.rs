//! Proof Key for Code Exchange (RFC 7636), S256 and nothing else: a code is worth nothing to whoever did not begin.

use std::fmt;

use aws_lc_rs::digest;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use crate::secret::equal;

/// The hash of a verifier, as its owner sends it ahead.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Challenge([u8; 32]);

impl Challenge {
    /// Of a verifier of our own.
    pub fn of(verifier: &str) -> Self {
        let hash = digest::digest(&digest::SHA256, verifier.as_bytes());
        Self(hash.as_ref().first_chunk().copied().unwrap_or_default())
    }

    /// Reads exactly the 43 characters of base64url that a SHA-256 has.
    pub fn parse(text: &str) -> Option<Self> {
        let mut bytes = [0; 32];
        if text.len() != 43 {
            return None;
        }
        matches!(URL_SAFE_NO_PAD.decode_slice(text, &mut bytes), Ok(32)).then_some(Self(bytes))
    }

    /// Whether this is the verifier behind the challenge: 43 to 128 unreserved characters that hash to it.
    pub fn matches(&self, verifier: &str) -> bool {
        let is_sound = (43..=128).contains(&verifier.len())
            && verifier.bytes().all(|b| b.is_ascii_alphanumeric() || b"-._~".contains(&b));
        is_sound && equal(&Self::of(verifier).0, &self.0)
    }
}

impl fmt::Display for Challenge {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&URL_SAFE_NO_PAD.encode(self.0))
    }
}

impl fmt::Debug for Challenge {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Challenge(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 7636, appendix B.
    const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
    const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";

    #[test]
    fn the_example_of_the_standard_matches() {
        let challenge = Challenge::parse(CHALLENGE).unwrap();
        assert_eq!(challenge.to_string(), CHALLENGE);
        assert!(challenge == Challenge::of(VERIFIER) && challenge.matches(VERIFIER));
        // The challenge itself is no verifier: that would be the method "plain".
        assert!(!challenge.matches(CHALLENGE) && !challenge.matches(""));
    }

    #[test]
    fn verifiers_and_challenges_are_bounded() {
        for (verifier, counts) in [
            ("a".repeat(42), false),
            ("a".repeat(43), true),
            ("~".repeat(128), true),
            ("a".repeat(129), false),
            (format!("{} ", "a".repeat(43)), false),
        ] {
            assert_eq!(Challenge::of(&verifier).matches(&verifier), counts, "{verifier}");
        }
        for bad in ["", &CHALLENGE[1..], &format!("{CHALLENGE}="), &CHALLENGE.replace('-', "+")] {
            assert!(Challenge::parse(bad).is_none(), "{bad}");
        }
    }
}
