//! Passwords in the clear: their bounds, and which new ones are too easy to guess.
//!
//! Source of the rules: NIST SP 800-63B-4 section 3.1.1.2. Length is counted in code points after NFC, any
//! character is welcome, there are no composition rules, and a refusal says why.

use std::fmt;

use unicode_normalization::UnicodeNormalization;
use zeroize::Zeroizing;

use crate::{Error, Invalid, Result};

/// The longest password in code points. More would buy nothing and cost hashing time.
pub const LONGEST: usize = 256;
/// What one request may send before it is even normalised: 256 code points with marks to be composed.
const LONGEST_INPUT: usize = 4096;
/// An operator may lower the minimum to this and no further (NIST's floor beside a second factor).
const LOWEST_MINIMUM: usize = 8;
/// Shorter parts of an address are in too many good passwords to mean anything.
const SHORTEST_CONTEXT_WORD: usize = 4;
/// What must remain of a password when everything an attacker would try first is taken away.
const LEAST_REMAINDER: usize = 8;

/// A password as somebody presented it, in NFC. Wiped from memory when dropped; `Debug` hides it.
#[derive(Clone)]
pub struct Password(Zeroizing<String>);

impl Password {
    /// Takes a password to be **compared** with a stored one: only the upper bound holds, since a rule that
    /// came later must not lock anybody out.
    ///
    /// Refuses more than 256 code points, pointing at `/password` (`too_long`).
    pub fn presented(typed: &str) -> Result<Self> {
        if typed.len() > LONGEST_INPUT {
            return Err(too_long().into());
        }
        // NFC triples the octets at most; the room is taken at once so that no copy is left behind by growth.
        let mut normal = Zeroizing::new(String::with_capacity(typed.len() * 3));
        normal.extend(typed.nfc());
        if normal.chars().count() > LONGEST {
            return Err(too_long().into());
        }
        Ok(Self(normal))
    }

    /// The text itself, for the hash and nothing else.
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// Length in code points.
    pub fn length(&self) -> usize {
        self.0.chars().count()
    }
}

impl fmt::Debug for Password {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Password(…)")
    }
}

/// What a **new** password must satisfy.
#[derive(Clone, Debug)]
pub struct PasswordPolicy {
    minimum: usize,
    product: String,
}

impl PasswordPolicy {
    /// `minimum` in code points, held between 8 and 256; `product` is the name of the service, which people
    /// like to put into their passwords.
    pub fn new(minimum: usize, product: &str) -> Self {
        Self { minimum: minimum.clamp(LOWEST_MINIMUM, LONGEST), product: product.to_lowercase() }
    }

    /// The fewest code points a new password may have.
    pub fn minimum(&self) -> usize {
        self.minimum
    }

    /// Accepts a new password or says everything that is wrong with it.
    ///
    /// `context` holds what an attacker knows about this person, as typed: the e-mail address, a name.
    /// `is_common` looks a text, in lower case, up in the list of known passwords.
    ///
    /// Codes, all pointing at `/password`: `too_long`, `too_short`, `repetitive`, `sequence`, `context`,
    /// `common`.
    pub fn accept(
        &self,
        typed: &str,
        context: &[&str],
        is_common: impl Fn(&str) -> bool,
    ) -> Result<Password> {
        let password = Password::presented(typed)?;
        let mut lower = Zeroizing::new(String::with_capacity(password.expose().len() * 3));
        lower.extend(password.expose().chars().flat_map(char::to_lowercase));
        let characters = Zeroizing::new(lower.chars().collect::<Vec<_>>());

        let mut reasons = Vec::new();
        if password.length() < self.minimum {
            let detail = format!("must be at least {} characters long", self.minimum);
            reasons.push(Invalid::new("/password", "too_short", detail));
        }
        if is_repetitive(&characters) {
            reasons.push(Invalid::new("/password", "repetitive", "must not repeat the same few characters"));
        }
        if is_sequence(&characters) {
            let detail = "must not run along the alphabet, the digits or the keyboard";
            reasons.push(Invalid::new("/password", "sequence", detail));
        }
        if self.is_made_of_context(&lower, context) {
            let detail = "must not be built from the name of this service or your own address";
            reasons.push(Invalid::new("/password", "context", detail));
        }
        if [lower.as_str(), without_signs(&lower), without_decoration(&lower)].into_iter().any(is_common) {
            let detail = "is on the list of common passwords, which attackers try first";
            reasons.push(Invalid::new("/password", "common", detail));
        }
        if reasons.is_empty() { Ok(password) } else { Err(Error::Invalid(reasons)) }
    }

    /// Whether little remains once the words that belong to this service and this person are taken out.
    fn is_made_of_context(&self, lower: &str, context: &[&str]) -> bool {
        let mut words: Vec<String> = context
            .iter()
            .flat_map(|known| {
                let known = known.nfc().collect::<String>().to_lowercase();
                known
                    .split(|character: char| !character.is_alphanumeric())
                    .map(str::to_owned)
                    .collect::<Vec<_>>()
            })
            .collect();
        words.push(self.product.clone());
        words.retain(|word| word.chars().count() >= SHORTEST_CONTEXT_WORD);
        // Longest first: otherwise a short word would break a longer one that contains it.
        words.sort_by_key(|word| std::cmp::Reverse(word.len()));

        let mut rest = Zeroizing::new(lower.to_owned());
        let mut found = false;
        for word in &words {
            if rest.contains(word.as_str()) {
                found = true;
                rest = Zeroizing::new(rest.replace(word.as_str(), ""));
            }
        }
        found && rest.chars().count() < LEAST_REMAINDER
    }
}

fn too_long() -> Invalid {
    Invalid::new("/password", "too_long", "must be at most 256 characters long")
}

/// One unit over and over (`passwordpassword`, `abcabcabcab`), or hardly any different characters.
fn is_repetitive(characters: &[char]) -> bool {
    let length = characters.len();
    let mut different = Zeroizing::new(characters.to_vec());
    different.sort_unstable();
    different.dedup();
    let has_period = |period: usize| {
        characters.iter().zip(characters.iter().skip(period)).all(|(left, right)| left == right)
    };
    length > 1 && (different.len() <= 2 || (1..=length / 2).any(has_period))
}

/// Rows of the common keyboards, and the digits as a ring: `…8901…` goes on.
const ROWS: [&str; 6] = ["qwertyuiop", "asdfghjkl", "zxcvbnm", "qwertzuiop", "azertyuiop", "01234567890"];

/// More than two thirds of the characters follow from the one before.
fn is_sequence(characters: &[char]) -> bool {
    let follows = characters
        .iter()
        .zip(characters.iter().skip(1))
        .filter(|(before, after)| follows(**before, **after))
        .count();
    characters.len() > 3 && follows * 3 > characters.len() * 2
}

fn follows(before: char, after: char) -> bool {
    let in_row = |row: &&str| {
        let mut previous = None;
        row.chars().any(|here| {
            let pair = previous.replace(here).map(|earlier| (earlier, here));
            pair == Some((before, after)) || pair == Some((after, before))
        })
    };
    before == after || u32::from(before).abs_diff(u32::from(after)) == 1 || ROWS.iter().any(in_row)
}

/// The text without the signs that people put around a common word: `--1qaz2wsx--` → `1qaz2wsx`.
fn without_signs(lower: &str) -> &str {
    lower.trim_matches(|character: char| !character.is_alphanumeric())
}

/// The text without the digits and signs that people put around a common word: `!password2026` → `password`.
fn without_decoration(lower: &str) -> &str {
    lower.trim_matches(|character: char| !character.is_alphabetic())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const CONTEXT: [&str; 1] = ["Marguerite.Dupont@mail.example.com"];

    fn codes(minimum: usize, typed: &str) -> Vec<&'static str> {
        let common =
            |text: &str| ["password", "iloveyou", "1qaz2wsx", "correcthorsebatterystaple"].contains(&text);
        match PasswordPolicy::new(minimum, "Fairweather").accept(typed, &CONTEXT, common) {
            Ok(password) => {
                assert!(password.length() >= minimum);
                Vec::new()
            }
            Err(Error::Invalid(fields)) => {
                assert!(fields.iter().all(|field| field.pointer == "/password"));
                fields.iter().map(|field| field.code).collect()
            }
            Err(other) => panic!("{other}"),
        }
    }

    /// `length` characters without a pattern, of one octet or of three.
    fn mixed(length: usize, wide: bool) -> String {
        let (first, many) = if wide { (0x4E00, 5003) } else { (0x21, 89) };
        let mut state = 1_u32;
        let mut next = || {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            char::from_u32(first + (state >> 16) % many).unwrap_or('x')
        };
        (0..length).map(|_| next()).collect()
    }

    #[test]
    fn bounds_are_counted_in_code_points() {
        for wide in [false, true] {
            assert_eq!(codes(15, &mixed(14, wide)), ["too_short"]);
            for length in [15, 64, 73, 256] {
                assert!(codes(15, &mixed(length, wide)).is_empty(), "{length} {wide}");
            }
            assert_eq!(codes(15, &mixed(257, wide)), ["too_long"]);
        }
        assert!(codes(8, &mixed(8, false)).is_empty());
    }

    #[test]
    fn the_minimum_cannot_be_lowered_below_eight() {
        assert_eq!(PasswordPolicy::new(1, "x").minimum(), 8);
        assert_eq!(PasswordPolicy::new(1000, "x").minimum(), LONGEST);
    }

    #[test]
    fn marks_are_composed_before_counting_and_comparing() -> Result<()> {
        let composed = Password::presented("caf\u{e9}")?;
        let decomposed = Password::presented("cafe\u{301}")?;
        assert_eq!(composed.expose(), decomposed.expose());
        assert_eq!(decomposed.length(), 4);
        Ok(())
    }

    #[test]
    fn nothing_is_cut_off_and_input_is_bounded() -> Result<()> {
        let long = "x".repeat(72);
        assert_ne!(
            Password::presented(&format!("{long}a"))?.expose(),
            Password::presented(&format!("{long}b"))?.expose()
        );
        assert!(Password::presented(&"e\u{301}".repeat(2000)).is_err());
        Ok(())
    }

    #[test]
    fn there_are_no_rules_of_composition() {
        for typed in [
            "correct horse battery",
            "🙂 🌧 🙃 ☀ ⛅ 🌈 🌊 ❄",
            "ich gehe gern im regen",
            "weather permitting we sail",
            "        tabs and spaces   \t ",
        ] {
            assert!(codes(15, typed).is_empty(), "{typed:?} {:?}", codes(15, typed));
        }
    }

    #[test]
    fn guessable_ones_are_refused_with_the_reason() {
        for (typed, reason) in [
            ("aaaaaaaaaaaaaaaa", "repetitive"),
            ("abababababababab", "repetitive"),
            ("hunter2hunter2hun", "repetitive"),
            ("               ", "repetitive"),
            ("abcdefghijklmnop", "sequence"),
            ("987654321098765", "sequence"),
            ("qwertyuiopasdfgh", "sequence"),
            ("Qwertyuiop12345!", "sequence"),
            ("aaaabbbbccccdddd", "sequence"),
            ("FairWeather12345", "context"),
            ("marguerite.dupont", "context"),
            ("Dupont-Example!1", "context"),
            ("Password20261121", "common"),
            ("...!1qaz2wsx!...", "common"),
            ("correctHorseBatteryStaple", "common"),
        ] {
            assert!(codes(15, typed).contains(&reason), "{typed:?} {:?}", codes(15, typed));
        }
    }

    #[test]
    fn every_reason_is_given_at_once() {
        assert_eq!(codes(15, "password1"), ["too_short", "common"]);
    }

    #[test]
    fn an_empty_one_is_only_too_short() {
        assert_eq!(codes(8, ""), ["too_short"]);
    }

    #[test]
    fn debug_tells_nothing() -> Result<()> {
        assert_eq!(format!("{:?}", Password::presented("secret")?), "Password(…)");
        Ok(())
    }

    proptest! {
        #[test]
        fn any_text_is_judged_and_what_is_accepted_stays_the_same(
            typed in "(?s).{0,300}", context in "(?s).{0,40}",
        ) {
            let policy = PasswordPolicy::new(8, "Fairweather");
            if let Ok(password) = policy.accept(&typed, &[&context], |_| false) {
                prop_assert!((8..=LONGEST).contains(&password.length()));
                let again = Password::presented(password.expose()).unwrap();
                prop_assert_eq!(again.expose(), password.expose());
            }
        }

        #[test]
        fn a_part_over_and_over_is_always_refused(part in "[a-z]{1,20}", times in 2_usize..20) {
            let policy = PasswordPolicy::new(8, "Fairweather");
            prop_assert!(policy.accept(&part.repeat(times), &[], |_| false).is_err());
        }
    }
}
