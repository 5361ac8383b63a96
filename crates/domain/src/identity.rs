//! Identities at providers: Google, Facebook, or any other that speaks OpenID Connect.

use std::fmt;

use crate::{Error, Result};

/// What an operator calls a provider, and its place in our URLs: 1 to 32 of `a-z`, `0-9` and `-`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ProviderName(Box<str>);

impl ProviderName {
    /// The longest name.
    const LONGEST: usize = 32;

    /// Reads a name exactly; there is no other writing of it.
    pub fn parse(text: &str) -> Option<Self> {
        let sound = (1..=Self::LONGEST).contains(&text.len())
            && text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-');
        sound.then(|| Self(text.into()))
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for ProviderName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Lets a way into an account go only while another one stays: nobody is to lock themselves out.
pub fn require_another_way_in(ways_in: i64) -> Result<()> {
    if ways_in > 1 {
        return Ok(());
    }
    Err(Error::conflict(
        "last_way_in",
        "this is the only way into the account: add another one first, or remove the account",
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_providers_have_one_writing() {
        for good in ["google", "my-company", "a", "0", &"x".repeat(32)] {
            assert_eq!(ProviderName::parse(good).map(|name| name.to_string()).as_deref(), Some(good));
        }
        for bad in ["", "Google", "a b", "a/b", "a.b", "ä", "a%2f", &"x".repeat(33)] {
            assert_eq!(ProviderName::parse(bad), None, "{bad}");
        }
    }

    #[test]
    fn the_last_way_in_stays() {
        assert!(require_another_way_in(2).is_ok());
        for ways_in in [1, 0] {
            let refused = require_another_way_in(ways_in);
            assert!(matches!(refused, Err(Error::Conflict { code: "last_way_in", .. })));
        }
    }
}
