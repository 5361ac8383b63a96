//! API keys: a prefix by which scanners of source code find one that was committed, 256 random bits, and a checksum by
//! which anybody knows a true one from a look-alike, without asking us.

use std::fmt;

use domain::Random;
use zeroize::Zeroizing;

use crate::secret::SecretDigest;

/// How every key begins. Registered nowhere, but like nothing else.
pub const PREFIX: &str = "fw_live_";
/// 62⁴³ is more than 2²⁵⁶.
const SECRET: usize = 43;
/// 62⁶ is more than 2³².
const CHECKSUM: usize = 6;
const LENGTH: usize = PREFIX.len() + SECRET + CHECKSUM;
/// Letters and digits alone, so that a double click selects all of a key.
const ALPHABET: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/// A key as its service holds it: `fw_live_` and 49 letters and digits.
#[derive(Clone)]
pub struct ApiKey(Zeroizing<String>);

impl ApiKey {
    /// A fresh one.
    pub fn generate(random: &Random) -> Self {
        let mut text = Zeroizing::new(String::with_capacity(LENGTH));
        text.push_str(PREFIX);
        for _ in 0..SECRET {
            text.push(symbol(random.below(62)));
        }
        let checksum = checksum(&text);
        text.push_str(&checksum);
        Self(text)
    }

    /// Whether somebody means a key, be it a true one or not.
    pub fn is_meant(text: &str) -> bool {
        text.starts_with("fw_")
    }

    /// Reads a key. A typing error shows in its checksum, and nobody has to be asked.
    pub fn parse(text: &str) -> Option<Self> {
        let body = text.strip_prefix(PREFIX)?;
        if text.len() != LENGTH || !body.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
            return None;
        }
        let (secret, sum) = text.split_at_checked(LENGTH - CHECKSUM)?;
        (checksum(secret) == sum).then(|| Self(Zeroizing::new(text.to_owned())))
    }

    pub fn to_text(&self) -> Zeroizing<String> {
        self.0.clone()
    }

    /// What to store. At 256 bits a plain hash is enough: there is nothing to guess.
    pub fn digest(&self) -> SecretDigest {
        SecretDigest::of(&[b"fairweather api key", self.0.as_bytes()])
    }

    /// The beginning, by which its owner tells it from others. It gives 24 of the 256 bits away.
    pub fn hint(&self) -> String {
        self.0.chars().take(PREFIX.len() + 4).collect()
    }
}

impl fmt::Debug for ApiKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("ApiKey(…)")
    }
}

fn symbol(number: u64) -> char {
    let index = usize::try_from(number % 62).unwrap_or_default();
    ALPHABET.get(index).copied().map_or('0', char::from)
}

/// CRC-32 in base 62, the last symbol first.
fn checksum(text: &str) -> String {
    let mut rest = u64::from(crc32(text.as_bytes()));
    let mut sum = String::with_capacity(CHECKSUM);
    for _ in 0..CHECKSUM {
        sum.push(symbol(rest % 62));
        rest /= 62;
    }
    sum
}

/// The checksum of ISO 3309, which every language has. It finds mistakes and keeps nobody out.
fn crc32(bytes: &[u8]) -> u32 {
    let mut crc = u32::MAX;
    for byte in bytes {
        crc ^= u32::from(*byte);
        for _ in 0..8 {
            let odd = crc & 1;
            crc = (crc >> 1) ^ (0xEDB8_8320 & 0_u32.wrapping_sub(odd));
        }
    }
    !crc
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::random;

    #[test]
    fn the_checksum_is_the_common_one() {
        assert_eq!(crc32(b"123456789"), 0xCBF4_3926);
        assert_eq!(checksum("123456789"), "EMRZj3");
    }

    #[test]
    fn a_key_reads_back_and_no_two_are_alike() {
        let random = random(1);
        let (one, two) = (ApiKey::generate(&random), ApiKey::generate(&random));
        let text = one.to_text();
        assert_eq!(text.len(), 57);
        assert!(text.starts_with("fw_live_"));
        let read = ApiKey::parse(&text).unwrap();
        assert!(read.digest().matches(&one.digest()) && !read.digest().matches(&two.digest()));
        assert_eq!(one.hint(), text[..12]);
        assert_eq!(format!("{one:?}"), "ApiKey(…)");
    }

    #[test]
    fn every_wrong_letter_shows() {
        let text = ApiKey::generate(&random(2)).to_text();
        for at in 0..text.len() {
            let other = if text.as_bytes()[at] == b'x' { 'y' } else { 'x' };
            let mut wrong = text.to_string();
            wrong.replace_range(at..=at, &other.to_string());
            assert!(ApiKey::parse(&wrong).is_none(), "{at}");
        }
        for wrong in ["", "fw_live_", &text[..56], &format!("{}0", *text), &text.to_uppercase(), "fw_live_ü"]
        {
            assert!(ApiKey::parse(wrong).is_none(), "{wrong}");
        }
    }
}
