//! An e-mail address: as typed, for sending, and in its normal form, for finding the account.

use std::fmt;

use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::is_combining_mark;

use crate::{Invalid, Result};

/// The longest address in octets (RFC 5321 section 4.5.3.1.3, less the two angle brackets).
const LONGEST: usize = 254;
/// The longest part before the `@` in octets (RFC 5321 section 4.5.3.1.1).
const LONGEST_LOCAL: usize = 64;
/// The longest part between two dots of a domain in octets (RFC 1035 section 2.3.4).
const LONGEST_LABEL: usize = 63;

/// An address in NFC with its domain in lower case. It is personal: `Debug` hides it, there is no `Display`.
#[derive(Clone, PartialEq, Eq)]
pub struct Email {
    address: String,
    at: usize,
}

impl Email {
    /// Parses what somebody typed; spaces around it are dropped.
    ///
    /// Refuses, pointing at `/email`: more than 254 octets (`too_long`), and whatever is not
    /// `local@domain.tld` (`malformed`). Outside ASCII only letters, digits and their marks are allowed, so
    /// nothing that hides or reorders text gets in. Quoted local parts and address literals count as
    /// malformed: nobody has one, and they hide surprises.
    pub fn parse(typed: &str) -> Result<Self> {
        let typed = typed.trim_matches(' ');
        if typed.len() > LONGEST {
            return Err(refused("too_long", "must be at most 254 bytes long"));
        }
        let normal: String = typed.nfc().collect();
        let Some((local, domain)) = normal.rsplit_once('@') else {
            return Err(refused("malformed", "must have the form name@example.com"));
        };
        let domain: String = domain.to_lowercase().nfc().collect();
        if !is_local(local) || !is_domain(&domain) {
            return Err(refused("malformed", "must have the form name@example.com"));
        }
        let address = format!("{local}@{domain}");
        // Normalising and lower-casing can lengthen a text.
        if address.len() > LONGEST {
            return Err(refused("too_long", "must be at most 254 bytes long"));
        }
        Ok(Self { at: local.len(), address })
    }

    /// The address to send to. Mail goes to the address that was **stored**, never to one typed later that
    /// merely has the same normal form.
    pub fn as_str(&self) -> &str {
        &self.address
    }

    /// The part before the `@`, as typed.
    pub fn local(&self) -> &str {
        self.address.get(..self.at).unwrap_or_default()
    }

    /// The part after the `@`, in lower case.
    pub fn domain(&self) -> &str {
        self.address.get(self.at + 1..).unwrap_or_default()
    }

    /// The form under which two addresses are the same: all of it in lower case and NFC. It feeds the blind
    /// index and the throttle. No provider is known to tell `Ann@` from `ann@`.
    pub fn normal_form(&self) -> String {
        self.address.to_lowercase().nfc().collect()
    }
}

impl fmt::Debug for Email {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Email(…)")
    }
}

fn refused(code: &'static str, detail: &'static str) -> crate::Error {
    Invalid::new("/email", code, detail).into()
}

/// A dot-atom (RFC 5322 section 3.2.3) whose atoms may hold letters of any script (RFC 6532).
fn is_local(local: &str) -> bool {
    local.len() <= LONGEST_LOCAL
        && local.split('.').all(|atom| {
            !atom.is_empty()
                && atom
                    .chars()
                    .all(|character| is_letter(character) || "!#$%&'*+-/=?^_`{|}~".contains(character))
        })
}

/// At least two labels of letters, digits and inner hyphens; the last is not a number.
fn is_domain(domain: &str) -> bool {
    let mut labels = 0;
    let mut last_is_number = false;
    for label in domain.split('.') {
        let fits = !label.is_empty()
            && label.len() <= LONGEST_LABEL
            && !label.starts_with('-')
            && !label.ends_with('-')
            && label.chars().all(|character| character == '-' || is_letter(character));
        if !fits {
            return false;
        }
        labels += 1;
        last_is_number = label.bytes().all(|byte| byte.is_ascii_digit());
    }
    labels >= 2 && !last_is_number
}

/// A letter or digit of any script, or a mark on one.
fn is_letter(character: char) -> bool {
    character.is_alphanumeric() || is_combining_mark(character)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::Error;

    fn code(typed: &str) -> &'static str {
        match Email::parse(typed) {
            Ok(_) => "accepted",
            Err(Error::Invalid(fields)) => {
                assert_eq!(fields[0].pointer, "/email");
                fields[0].code
            }
            Err(other) => panic!("{other}"),
        }
    }

    #[test]
    fn the_normal_form_ignores_case_and_composition() -> Result<()> {
        let typed = Email::parse(" Jose\u{301}@Example.COM ")?;
        assert_eq!(typed.as_str(), "Jos\u{e9}@example.com");
        assert_eq!(typed.local(), "Jos\u{e9}");
        assert_eq!(typed.domain(), "example.com");
        assert_eq!(typed.normal_form(), Email::parse("jos\u{e9}@example.com")?.normal_form());
        Ok(())
    }

    #[test]
    fn addresses_that_exist_are_accepted() {
        for typed in ["a@b.co", "first.last+tag@sub.example.org", "o'neil@example.ie", "北@例子.中国"] {
            assert_eq!(code(typed), "accepted", "{typed}");
        }
    }

    #[test]
    fn what_cannot_be_an_address_is_refused() {
        for typed in [
            "",
            "@",
            "a@",
            "@b.co",
            "a.b.co",
            "a@b",
            "a@@b.co",
            "a b@c.co",
            "a..b@c.co",
            ".a@c.co",
            "a@-b.co",
            "a@b..co",
            "a@b.co.",
            "a@[127.0.0.1]",
            "a@127.0.0.1",
            "\"a b\"@c.co",
            "a<b>@c.co",
            "a@b,c.co",
            "a\u{a0}b@c.co",
        ] {
            assert_eq!(code(typed), "malformed", "{typed:?}");
        }
    }

    #[test]
    fn characters_that_deceive_are_refused() {
        for typed in ["a\u{202E}b@c.co", "a@c\u{200B}.co", "a\r\nBcc: x@y.zz@c.co", "a\0@c.co"] {
            assert_eq!(code(typed), "malformed", "{typed:?}");
        }
    }

    #[test]
    fn length_is_bounded_in_octets() {
        let longest = format!("a@{}.com", ["b".repeat(60).as_str(); 4].join("."));
        assert_eq!(code(&longest[..]), "accepted");
        assert_eq!(code(&format!("{}@example.com", "a".repeat(65))), "malformed");
        assert_eq!(code(&format!("{longest}{}", "m".repeat(10))), "too_long");
        assert_eq!(code(&format!("a@{}.com", "b".repeat(64))), "malformed");
    }

    #[test]
    fn debug_tells_nothing() -> Result<()> {
        assert_eq!(format!("{:?}", Email::parse("ann@example.com")?), "Email(…)");
        Ok(())
    }

    proptest! {
        #[test]
        fn what_is_accepted_is_accepted_unchanged_again(
            typed in prop_oneof!["(?s).{0,60}", "\\PC{1,20}@\\PC{1,20}\\.\\PC{1,9}", "[a-zA-Z.ÀßİK]{1,20}@[a-zA-Zß-]{1,20}\\.[a-z]{2}"],
        ) {
            if let Ok(email) = Email::parse(&typed) {
                let again = Email::parse(email.as_str()).unwrap();
                prop_assert_eq!(again.as_str(), email.as_str());
                prop_assert_eq!(again.normal_form(), email.normal_form());
                prop_assert_eq!(format!("{}@{}", email.local(), email.domain()), email.as_str());
                prop_assert!(email.as_str().len() <= LONGEST);
            }
        }
    }
}
