//! The arena: every text once, after a byte that says how long it is.

use std::collections::HashMap;

use domain::{Error, Result};

#[derive(Default)]
pub(super) struct Texts {
    bytes: Vec<u8>,
    at: HashMap<String, u32>,
}

impl Texts {
    /// Where the text stands. Cut to 255 bytes, at a letter: no place's name is longer.
    pub(super) fn add(&mut self, text: &str) -> Result<u32> {
        let text = &text[..text.floor_char_boundary(usize::from(u8::MAX))];
        if let Some(at) = self.at.get(text) {
            return Ok(*at);
        }
        let at = u32::try_from(self.bytes.len()).map_err(|_| Error::internal("too many names"))?;
        self.bytes.push(text.len() as u8);
        self.bytes.extend_from_slice(text.as_bytes());
        self.at.insert(text.to_owned(), at);
        Ok(at)
    }

    pub(super) fn into_bytes(self) -> Vec<u8> {
        self.bytes
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_kept_once_and_cut_at_a_letter() {
        let mut texts = Texts::default();
        let first = texts.add("Lisbon").expect("room");
        assert_eq!(texts.add("Lisbon").expect("room"), first);
        let long = texts.add(&"é".repeat(200)).expect("room");
        let bytes = texts.into_bytes();
        assert_eq!(bytes[long as usize], 254);
        assert!(std::str::from_utf8(&bytes[long as usize + 1..]).is_ok());
    }
}
