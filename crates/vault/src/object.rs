//! JSON that somebody signed, or that we are to believe: an object, and written as one.

use serde::Deserialize;

/// Reads an object into its fields. Left to itself, serde also takes an array of the fields' values, so that two readers
/// of one text could see two things.
pub(crate) fn read<'a, T: Deserialize<'a>>(json: &'a [u8]) -> Option<T> {
    json.trim_ascii_start().starts_with(b"{").then(|| serde_json::from_slice(json).ok())?
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, Deserialize, PartialEq)]
    struct Pair {
        x: u8,
        y: u8,
    }

    #[test]
    fn fields_have_names() {
        assert_eq!(read(b" {\"x\":1,\"y\":2} "), Some(Pair { x: 1, y: 2 }));
        for other in ["[1,2]", " [1,2]", "{\"x\":1}", "{\"x\":1,\"y\":2}]", "", "1"] {
            assert_eq!(read::<Pair>(other.as_bytes()), None, "{other}");
        }
    }
}
