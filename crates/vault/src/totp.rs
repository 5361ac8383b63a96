//! Codes of authenticator apps: TOTP (RFC 6238) with SHA-1, six digits and steps of thirty seconds, since that is
//! what every app understands. SHA-1 is sound in an HMAC.

use std::fmt;

use aws_lc_rs::hmac;
use domain::{Random, Timestamp};
use zeroize::Zeroizing;

use crate::secret::equal;

/// As long as the output of the hash, which RFC 4226 recommends.
const LENGTH: usize = 20;
const DIGITS: usize = 6;
const STEP_S: i64 = 30;
/// Steps before and after the present one that are taken too: clocks differ, and people type slowly.
const WINDOW: i64 = 1;
/// RFC 4648.
const BASE32: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";

/// What the app and we share.
#[derive(Clone)]
pub struct TotpSecret(Zeroizing<[u8; LENGTH]>);

/// Six digits that somebody typed.
#[derive(Clone)]
pub struct TotpCode(Zeroizing<[u8; DIGITS]>);

impl TotpSecret {
    /// A fresh one.
    pub fn generate(random: &Random) -> Self {
        let mut bytes = Zeroizing::new([0; LENGTH]);
        random.fill(&mut *bytes);
        Self(bytes)
    }

    /// A stored one; `None` when it has another length.
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        Some(Self(Zeroizing::new(bytes.try_into().ok()?)))
    }

    /// What to seal and store.
    pub fn as_bytes(&self) -> &[u8; LENGTH] {
        &self.0
    }

    /// As apps read it: base 32, which needs no padding at this length.
    pub fn to_base32(&self) -> Zeroizing<String> {
        let mut text = Zeroizing::new(String::with_capacity(LENGTH / 5 * 8));
        for five in self.0.chunks_exact(5) {
            let bits = five.iter().fold(0u64, |bits, byte| bits << 8 | u64::from(*byte));
            for shift in (0..8).rev() {
                let symbol = usize::try_from(bits >> (shift * 5) & 31).unwrap_or(0);
                text.push(char::from(BASE32.get(symbol).copied().unwrap_or(b'A')));
            }
        }
        text
    }

    /// The time step whose code this is, if it is of the present one or a neighbour. Each step's code must be taken
    /// once only: that is for whoever stores the newest step.
    pub fn step_of(&self, code: &TotpCode, now: Timestamp) -> Option<i64> {
        let present = now.millis().div_euclid(1000 * STEP_S);
        let mut found = None;
        // All of them are looked at, so that the time tells nothing.
        for step in present - WINDOW..=present + WINDOW {
            if equal(&*self.code_at(step), &*code.0) {
                found = Some(step);
            }
        }
        found
    }

    /// The digits of a step (RFC 4226, 5.3).
    fn code_at(&self, step: i64) -> Zeroizing<[u8; DIGITS]> {
        let key = hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, &*self.0);
        let tag = hmac::sign(&key, &step.to_be_bytes());
        let tag = tag.as_ref();
        let offset = usize::from(tag.last().copied().unwrap_or(0) & 15);
        let word = tag.get(offset..).and_then(|rest| rest.first_chunk::<4>()).copied().unwrap_or_default();
        let mut number = u32::from_be_bytes(word) & 0x7FFF_FFFF;
        let mut digits = Zeroizing::new([b'0'; DIGITS]);
        for digit in digits.iter_mut().rev() {
            *digit += u8::try_from(number % 10).unwrap_or(0);
            number /= 10;
        }
        digits
    }
}

impl TotpCode {
    /// Reads six digits; spaces between them do not matter.
    pub fn parse(typed: &str) -> Option<Self> {
        let mut digits = Zeroizing::new([0; DIGITS]);
        let mut length = 0;
        for character in typed.chars().take(DIGITS * 3) {
            match character {
                ' ' | '\u{A0}' => {}
                '0'..='9' => {
                    *digits.get_mut(length)? = u8::try_from(character).ok()?;
                    length += 1;
                }
                _ => return None,
            }
        }
        (length == DIGITS && typed.len() <= DIGITS * 3).then_some(Self(digits))
    }
}

impl fmt::Debug for TotpSecret {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("TotpSecret(…)")
    }
}

impl fmt::Debug for TotpCode {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("TotpCode(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::random;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_seconds(seconds)
    }

    /// RFC 6238, appendix B, whose eight digits end in our six.
    #[test]
    fn codes_are_those_of_the_standard() {
        let secret = TotpSecret::from_bytes(b"12345678901234567890").unwrap();
        for (seconds, code) in [
            (59, "287082"),
            (1_111_111_109, "081804"),
            (1_111_111_111, "050471"),
            (1_234_567_890, "005924"),
            (2_000_000_000, "279037"),
            (20_000_000_000, "353130"),
        ] {
            let code = TotpCode::parse(code).unwrap();
            assert_eq!(secret.step_of(&code, at(seconds)), Some(seconds / 30), "{seconds}");
        }
        assert_eq!(*secret.to_base32(), "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ");
    }

    #[test]
    fn a_code_counts_a_step_early_and_a_step_late() {
        let secret = TotpSecret::generate(&random(1));
        let step = 40_000_000;
        let code = TotpCode(secret.code_at(step));
        for (late, counts) in [(-2, false), (-1, true), (0, true), (1, true), (2, false)] {
            let found = secret.step_of(&code, at((step + late) * 30 + 29));
            assert_eq!(found, counts.then_some(step), "{late} steps late");
        }
        let other = TotpSecret::generate(&random(2));
        assert_eq!(other.step_of(&code, at(step * 30)), None);
    }

    #[test]
    fn only_six_digits_are_a_code() {
        for good in ["123456", "123 456", " 1 2 3 4 5 6"] {
            assert!(TotpCode::parse(good).is_some(), "{good}");
        }
        for bad in ["", "12345", "1234567", "12345a", "１２３４５６", "123-456", &" ".repeat(10_000)] {
            assert!(TotpCode::parse(bad).is_none(), "{bad}");
        }
        assert_eq!(format!("{:?}", TotpCode::parse("123456").unwrap()), "TotpCode(…)");
    }
}
