//! The passwords that attackers try first, compressed into an automaton.

use std::sync::LazyLock;

use fst::Set;

/// Made by `cargo run -p xtask -- common-passwords`; `data/COMMON-PASSWORDS.md` says of what.
static BYTES: &[u8] = include_bytes!("../data/common-passwords.fst");

/// `None` would mean that the file in this build is damaged, which a test keeps from happening.
static KNOWN: LazyLock<Option<Set<&'static [u8]>>> = LazyLock::new(|| Set::new(BYTES).ok());

/// Whether a text, in lower case, is on the list.
pub fn contains(lower: &str) -> bool {
    KNOWN.as_ref().is_some_and(|known| known.contains(lower))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn common_ones_are_known_and_others_are_not() {
        for common in ["password", "123456789", "iloveyou", "qwertyuiop", "1qaz2wsx3edc", "trustno1"] {
            assert!(contains(common), "{common}");
        }
        for other in ["", "four plain words do", "correct horse battery staple", "passwort im regen"] {
            assert!(!contains(other), "{other}");
        }
        assert!(KNOWN.as_ref().is_some_and(|known| known.len() > 40_000));
        assert!(BYTES.len() < 512 * 1024, "it is part of the binary: {} bytes", BYTES.len());
    }
}
