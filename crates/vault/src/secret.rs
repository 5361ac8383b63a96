//! Secrets that we hand out once and store hashed: registration secrets, cookie ids, reset links, and the
//! short codes that people type.

use std::fmt;

use aws_lc_rs::constant_time::verify_slices_are_equal;
use aws_lc_rs::digest;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use domain::Random;
use zeroize::Zeroizing;

use crate::crockford::{self, Symbols};

const LENGTH: usize = 32;
const CODE_LENGTH: usize = 8;

/// Whether two texts or hashes are the same, in a time that tells their lengths at most.
pub fn equal(left: &[u8], right: &[u8]) -> bool {
    verify_slices_are_equal(left, right).is_ok()
}

/// 256 random bits.
#[derive(Clone)]
pub struct Secret(Zeroizing<[u8; LENGTH]>);

impl Secret {
    /// A fresh one.
    pub fn generate(random: &Random) -> Self {
        let mut bytes = Zeroizing::new([0; LENGTH]);
        random.fill(&mut *bytes);
        Self(bytes)
    }

    /// Reads exactly the 43 characters of base64url that [`Secret::to_text`] writes.
    pub fn parse(text: &str) -> Option<Self> {
        let mut bytes = Zeroizing::new([0; LENGTH]);
        // Without the check of length a huge text would be walked through before it is refused.
        if text.len() != (LENGTH * 4).div_ceil(3) {
            return None;
        }
        match URL_SAFE_NO_PAD.decode_slice(text, &mut *bytes) {
            Ok(LENGTH) => Some(Self(bytes)),
            _ => None,
        }
    }

    /// The same from its bytes; `None` when they are not as many.
    pub fn from_slice(bytes: &[u8]) -> Option<Self> {
        Some(Self(Zeroizing::new(bytes.try_into().ok()?)))
    }

    /// The bytes, for what signs them.
    pub fn as_bytes(&self) -> &[u8; LENGTH] {
        &self.0
    }

    /// 43 characters of base64url: what the client keeps.
    pub fn to_text(&self) -> Zeroizing<String> {
        Zeroizing::new(URL_SAFE_NO_PAD.encode(*self.0))
    }

    /// What to store. At 256 bits a plain hash is enough: there is nothing to guess.
    pub fn digest(&self) -> SecretDigest {
        SecretDigest::of(&[b"fairweather secret", &*self.0])
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Secret(…)")
    }
}

/// The SHA-256 of a secret, as stored. Compared in constant time only, hence no `PartialEq`.
#[derive(Clone, Copy)]
pub struct SecretDigest([u8; 32]);

impl SecretDigest {
    pub(crate) fn of(parts: &[&[u8]]) -> Self {
        let mut context = digest::Context::new(&digest::SHA256);
        for part in parts {
            context.update(part);
        }
        Self(context.finish().as_ref().first_chunk().copied().unwrap_or_default())
    }

    /// A stored one.
    pub const fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// What to store.
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// Whether both are of the same secret.
    pub fn matches(&self, other: &Self) -> bool {
        equal(&self.0, &other.0)
    }
}

impl fmt::Debug for SecretDigest {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("SecretDigest(…)")
    }
}

/// A code of 40 bits that is mailed and typed by hand. It proves nothing without the secret of the same
/// registration, and five wrong ones end it.
#[derive(Clone)]
pub struct RegistrationCode(Symbols<CODE_LENGTH>);

impl RegistrationCode {
    /// A fresh one.
    pub fn generate(random: &Random) -> Self {
        Self(crockford::generate(random))
    }

    /// Reads what somebody typed: any case, spaces and dashes anywhere, O for 0, I and L for 1.
    pub fn parse(typed: &str) -> Option<Self> {
        crockford::parse(typed).map(Self)
    }

    /// As mailed: `ABCD-EFGH`.
    pub fn to_text(&self) -> Zeroizing<String> {
        crockford::to_text(&self.0, CODE_LENGTH / 2)
    }

    /// What to store: a hash together with the registration's secret, since 40 bits alone could be tried out.
    pub fn digest(&self, secret: &Secret) -> SecretDigest {
        SecretDigest::of(&[b"fairweather registration code", &*secret.0, &*self.0])
    }
}

impl fmt::Debug for RegistrationCode {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("RegistrationCode(…)")
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::testing::random;

    proptest! {
        #[test]
        fn secrets_read_back(seed: u64) {
            let secret = Secret::generate(&random(seed));
            let read = Secret::parse(&secret.to_text()).unwrap();
            prop_assert!(read.digest().matches(&secret.digest()));
            prop_assert!(!Secret::generate(&random(seed ^ 1)).digest().matches(&secret.digest()));
        }

        #[test]
        fn codes_read_back_however_they_are_typed(seed: u64) {
            let (secret, code) = (Secret::generate(&random(1)), RegistrationCode::generate(&random(seed)));
            let text = code.to_text().to_string();
            let spaced: String = text.chars().flat_map(|symbol| [symbol, ' ']).collect();
            for typed in [
                text.clone(),
                text.to_lowercase(),
                text.replace('-', ""),
                format!(" {spaced} "),
                text.replace('0', "o").replace('1', "l"),
                text.replace('0', "O").replace('1', "i").replace('-', "\u{2013}"),
            ] {
                let read = RegistrationCode::parse(&typed);
                prop_assert!(read.is_some_and(|read| read.digest(&secret).matches(&code.digest(&secret))));
            }
        }
    }

    #[test]
    fn other_texts_are_no_secrets() {
        let text = Secret::generate(&random(1)).to_text().to_string();
        for bad in ["", &text[1..], &format!("{text}="), &format!("{text}A"), &format!(" {}", &text[1..])] {
            assert!(Secret::parse(bad).is_none(), "{bad:?}");
        }
        // The last character holds two bits that must be zero: otherwise four texts would be one secret.
        let forged: Vec<_> = "ABCDEFGH"
            .chars()
            .filter(|last| Secret::parse(&format!("{}{last}", "A".repeat(42))).is_some())
            .collect();
        assert_eq!(forged, ['A', 'E']);
    }

    #[test]
    fn other_texts_are_no_codes() {
        for bad in ["", "ABCDEFG", "ABCDEFGHJ", "ABCDEFGU", "ABCDEFG!", "ÀBCDEFGH", &" ".repeat(10_000)] {
            assert!(RegistrationCode::parse(bad).is_none(), "{bad:?}");
        }
    }

    #[test]
    fn a_code_counts_with_its_own_secret_only() {
        let code = RegistrationCode::generate(&random(1));
        let [mine, other] = [2, 3].map(|seed| Secret::generate(&random(seed)));
        assert!(!code.digest(&mine).matches(&code.digest(&other)));
    }

    #[test]
    fn equal_is_exact() {
        assert!(equal(b"", b"") && equal(b"abc", b"abc"));
        assert!(!equal(b"abc", b"abd") && !equal(b"abc", b"ab") && !equal(b"", b"a"));
    }

    #[test]
    fn debug_tells_nothing() {
        let secret = Secret::generate(&random(1));
        assert_eq!(format!("{secret:?} {:?}", secret.digest()), "Secret(…) SecretDigest(…)");
        assert_eq!(format!("{:?}", RegistrationCode::generate(&random(1))), "RegistrationCode(…)");
    }
}
