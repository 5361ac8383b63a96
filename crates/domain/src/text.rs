//! What people type: bounded, normalised (NFC) and free of characters that deceive or break a display.

use std::borrow::Cow;

use unicode_normalization::{UnicodeNormalization, is_nfc};

use crate::{Invalid, Result};

/// Longest name of a favourite, in code points.
pub const NAME_MAX: usize = 100;
/// Longest note of a favourite, in code points.
pub const NOTE_MAX: usize = 2000;

/// A name on one line, trimmed: 1 to [`NAME_MAX`] code points.
pub fn name(pointer: &'static str, text: &str) -> Result<String> {
    let text = clean(pointer, text.trim(), NAME_MAX, false)?;
    if text.is_empty() {
        return Err(Invalid::new(pointer, "empty", "must not be empty").into());
    }
    Ok(text)
}

/// A note of up to [`NOTE_MAX`] code points, line breaks and tabs allowed. An empty one is none.
pub fn note(pointer: &'static str, text: &str) -> Result<Option<String>> {
    let text = clean(pointer, text.trim_end(), NOTE_MAX, true)?;
    Ok(if text.is_empty() { None } else { Some(text) })
}

fn clean(pointer: &'static str, text: &str, max: usize, multiline: bool) -> Result<String> {
    // Normalising may lengthen a text threefold at most, so its bytes are bounded before it runs.
    if text.len() > max * 4 * 3 {
        return Err(too_long(pointer, max));
    }
    let text: Cow<'_, str> =
        if is_nfc(text) { Cow::Borrowed(text) } else { Cow::Owned(text.nfc().collect()) };
    if text.chars().count() > max {
        return Err(too_long(pointer, max));
    }
    if let Some(bad) = text.chars().find(|&c| is_refused(c, multiline)) {
        let detail = format!("must not contain the character U+{:04X}", u32::from(bad));
        return Err(Invalid::new(pointer, "forbidden_character", detail).into());
    }
    Ok(text.into_owned())
}

fn too_long(pointer: &'static str, max: usize) -> crate::Error {
    Invalid::new(pointer, "too_long", format!("must be at most {max} characters")).into()
}

/// Control characters break displays and logs; direction marks and invisible separators let one name pass
/// for another. Joiners stay: several scripts and many emoji need them.
fn is_refused(c: char, multiline: bool) -> bool {
    if multiline && matches!(c, '\n' | '\t') {
        return false;
    }
    c.is_control()
        || matches!(c,
            '\u{061C}' | '\u{180E}' | '\u{200B}' | '\u{200E}' | '\u{200F}' | '\u{2028}'..='\u{202E}'
            | '\u{2060}'..='\u{206F}' | '\u{FEFF}' | '\u{FFF9}'..='\u{FFFB}' | '\u{E0000}'..='\u{E007F}')
        || (u32::from(c) & 0xFFFE) == 0xFFFE
        || ('\u{FDD0}'..='\u{FDEF}').contains(&c)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::Error;

    fn code(result: Result<String>) -> &'static str {
        match result {
            Err(Error::Invalid(fields)) => fields[0].code,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn names_are_trimmed_normalised_and_bounded() {
        assert_eq!(name("/name", "  Cafe\u{301} ").unwrap(), "Café");
        assert_eq!(name("/name", &"ö".repeat(100)).unwrap().chars().count(), 100);
        assert_eq!(code(name("/name", &"ö".repeat(101))), "too_long");
        assert_eq!(code(name("/name", " \t ")), "empty");
    }

    #[test]
    fn names_cannot_deceive() {
        for bad in ["a\u{202E}b", "a\u{0}b", "a\nb", "a\u{2066}b", "\u{FEFF}a", "a\u{200F}", "a\u{FFFF}"] {
            assert_eq!(code(name("/name", bad)), "forbidden_character", "{bad:?}");
        }
        assert!(name("/name", "👩\u{200D}🚀 دار").is_ok());
    }

    #[test]
    fn notes_keep_their_lines() {
        assert_eq!(note("/note", "one\n\ttwo\n").unwrap().as_deref(), Some("one\n\ttwo"));
        assert_eq!(note("/note", "  ").unwrap(), None);
    }

    proptest! {
        #[test]
        fn what_is_accepted_is_accepted_unchanged_again(text in ".{0,300}") {
            if let Ok(once) = name("/name", &text) {
                prop_assert_eq!(name("/name", &once).unwrap(), once);
            }
        }
    }
}
