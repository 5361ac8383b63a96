//! The order of favourites: a fractional index, so that a reorder is one small change.

use std::fmt;

use crate::{Invalid, Result};

/// At most 64 of `[0-9A-Za-z]`, compared by bytes; equal ones are ordered by id.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Position(String);

const DIGITS: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
const LONGEST: usize = 64;

impl Position {
    /// Where the first favourite of an account stands.
    pub fn first() -> Self {
        Self(String::from("a0"))
    }

    pub fn parse(pointer: &'static str, text: &str) -> Result<Self> {
        let fits = (1..=LONGEST).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_alphanumeric());
        if fits {
            Ok(Self(text.to_owned()))
        } else {
            Err(Invalid::new(pointer, "malformed", "must be 1 to 64 characters of 0-9, A-Z, a-z").into())
        }
    }

    /// A position behind this one. Counts up in base 62 and grows by a digit when all are at the end; at the
    /// longest it stays, and the ids, which grow with time, decide the order.
    pub fn next(&self) -> Self {
        let mut digits = self.0.clone().into_bytes();
        for at in (0..digits.len()).rev() {
            if let Some(up) = successor(digits[at]) {
                digits[at] = up;
                digits[at + 1..].fill(DIGITS[0]);
                return Self::from_digits(digits);
            }
        }
        if digits.len() < LONGEST {
            digits.push(DIGITS[1]);
        }
        Self::from_digits(digits)
    }

    /// A position between two, `None` standing for the start or the end of the list; `None` when there is no
    /// room left (the ends are equal, or in the wrong order, or 64 digits are not enough).
    pub fn between(before: Option<&Self>, after: Option<&Self>) -> Option<Self> {
        let low = before.map_or(&[][..], |p| p.0.as_bytes());
        let high = after.map(|p| p.0.as_bytes());
        if high.is_some_and(|high| low >= high) {
            return None;
        }
        let mut bounded = high.is_some();
        let mut digits = Vec::new();
        for at in 0..LONGEST {
            let from = low.get(at).map_or(0, |&b| value(b));
            let to =
                if bounded { high.and_then(|h| h.get(at)).map(|&b| value(b)) } else { Some(DIGITS.len()) };
            let to = to?;
            if to > from + 1 {
                digits.push(DIGITS[from.midpoint(to)]);
                return Some(Self::from_digits(digits));
            }
            bounded = bounded && to == from;
            digits.push(DIGITS[from]);
        }
        None
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// A position as the store holds it, checked when it came in.
    pub fn stored(text: String) -> Self {
        Self(text)
    }

    fn from_digits(digits: Vec<u8>) -> Self {
        Self(digits.into_iter().map(char::from).collect())
    }
}

impl fmt::Display for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

fn value(digit: u8) -> usize {
    DIGITS.iter().position(|&d| d == digit).unwrap_or(0)
}

fn successor(digit: u8) -> Option<u8> {
    DIGITS.get(value(digit) + 1).copied()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn at(text: &str) -> Position {
        Position::parse("/position", text).unwrap()
    }

    #[test]
    fn appending_counts_up_and_grows() {
        assert_eq!(at("a0").next(), at("a1"));
        assert_eq!(at("az").next(), at("b0"));
        assert_eq!(at("zz").next(), at("zz1"));
        assert_eq!(at(&"z".repeat(64)).next(), at(&"z".repeat(64)));
    }

    #[test]
    fn refuses_what_does_not_sort_alike_everywhere() {
        for bad in ["", "a b", "ä", "a-", &"a".repeat(65)] {
            assert!(Position::parse("/position", bad).is_err(), "{bad:?}");
        }
    }

    proptest! {
        #[test]
        fn the_next_is_behind(text in "[0-9A-Za-z]{1,63}") {
            let here = at(&text);
            prop_assert!(here.next() > here);
        }

        #[test]
        fn between_is_between(a in "[0-9A-Za-z]{1,20}", b in "[0-9A-Za-z]{1,20}") {
            let (low, high) = (at(&a).min(at(&b)), at(&a).max(at(&b)));
            if let Some(middle) = Position::between(Some(&low), Some(&high)) {
                prop_assert!(low < middle && middle < high);
            } else {
                // Only a run of lowest digits behind the lower end leaves no room.
                prop_assert!(low == high || high.0[low.0.len().min(high.0.len())..].bytes().all(|d| d == b'0'));
            }
            prop_assert!(Position::between(Some(&high), None).unwrap() > high);
        }
    }
}
