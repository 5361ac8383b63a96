//! As much of CBOR (RFC 8949) as authenticators write: definite lengths, no tags, no fractions. Whatever else comes is
//! refused, and no input makes it use more than its own length.

/// One value. Texts and bytes lie in the input.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Value<'a> {
    Number(i64),
    Bytes(&'a [u8]),
    Text(&'a str),
    List(Vec<Value<'a>>),
    /// Keys in the order in which they were written, each once.
    Map(Vec<(Value<'a>, Value<'a>)>),
    Bool(bool),
    Null,
}

/// What authenticators write is four deep at most (CTAP 2.1, 8).
const DEEPEST: usize = 4;

/// The value at the beginning, and what follows it.
pub fn read(input: &[u8]) -> Option<(Value<'_>, &[u8])> {
    let mut reader = Reader { rest: input };
    let value = reader.value(DEEPEST)?;
    Some((value, reader.rest))
}

impl<'a> Value<'a> {
    /// What a map has at this key.
    pub fn get(&self, key: &Value<'_>) -> Option<&Value<'a>> {
        let Self::Map(entries) = self else { return None };
        entries.iter().find(|(found, _)| found == key).map(|(_, value)| value)
    }

    pub const fn as_bytes(&self) -> Option<&'a [u8]> {
        match self {
            Self::Bytes(bytes) => Some(bytes),
            _ => None,
        }
    }
}

struct Reader<'a> {
    rest: &'a [u8],
}

impl<'a> Reader<'a> {
    fn take(&mut self, length: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.rest.split_at_checked(length)?;
        self.rest = rest;
        Some(taken)
    }

    /// The argument of a head: in its lower five bits, or in the bytes that follow.
    fn argument(&mut self, low: u8) -> Option<u64> {
        let length = match low {
            0..=23 => return Some(u64::from(low)),
            24..=27 => 1 << (low - 24),
            // Reserved, or a length that is not said.
            _ => return None,
        };
        let bytes = self.take(length)?;
        Some(bytes.iter().fold(0, |number, byte| number << 8 | u64::from(*byte)))
    }

    fn value(&mut self, depth: usize) -> Option<Value<'a>> {
        let head = *self.take(1)?.first()?;
        let (kind, low) = (head >> 5, head & 31);
        if kind == 7 {
            return match low {
                20 => Some(Value::Bool(false)),
                21 => Some(Value::Bool(true)),
                22 => Some(Value::Null),
                _ => None,
            };
        }
        let argument = self.argument(low)?;
        match kind {
            0 => i64::try_from(argument).ok().map(Value::Number),
            1 => i64::try_from(argument).ok().map(|number| Value::Number(-1 - number)),
            2 => self.take(usize::try_from(argument).ok()?).map(Value::Bytes),
            3 => {
                let bytes = self.take(usize::try_from(argument).ok()?)?;
                std::str::from_utf8(bytes).ok().map(Value::Text)
            }
            4 => {
                let depth = depth.checked_sub(1)?;
                let mut list = Vec::new();
                for _ in 0..self.count(argument)? {
                    list.push(self.value(depth)?);
                }
                Some(Value::List(list))
            }
            5 => {
                let depth = depth.checked_sub(1)?;
                let mut entries: Vec<(Value<'a>, Value<'a>)> = Vec::new();
                for _ in 0..self.count(argument)? {
                    let (key, value) = (self.value(depth)?, self.value(depth)?);
                    // Two readers could otherwise see two values.
                    if entries.iter().any(|(known, _)| *known == key) {
                        return None;
                    }
                    entries.push((key, value));
                }
                Some(Value::Map(entries))
            }
            _ => None,
        }
    }

    /// How many values follow. Each is a byte at least, and nobody sends maps of hundreds.
    fn count(&self, argument: u64) -> Option<usize> {
        usize::try_from(argument).ok().filter(|count| *count <= self.rest.len() && *count <= 256)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn what_authenticators_write_is_read() {
        let input = [0xA3, 0x01, 0x02, 0x20, 0x43, 1, 2, 3, 0x61, b'x', 0x82, 0xF5, 0x39, 0x01, 0x00, 0xFF];
        let (value, rest) = read(&input).unwrap();
        assert_eq!(rest, [0xFF]);
        assert_eq!(value.get(&Value::Number(1)), Some(&Value::Number(2)));
        assert_eq!(value.get(&Value::Number(-1)).and_then(Value::as_bytes), Some(&[1, 2, 3][..]));
        let list = Value::List(vec![Value::Bool(true), Value::Number(-257)]);
        assert_eq!(value.get(&Value::Text("x")), Some(&list));
        assert_eq!(value.get(&Value::Null), None);
    }

    #[test]
    fn what_nobody_writes_is_refused() {
        for bad in [
            &[][..],
            &[0x18],                                                 // a number that is cut off
            &[0x5F, 0x41, 0x00, 0xFF],                               // bytes of unknown length
            &[0xBF, 0xFF],                                           // a map of unknown length
            &[0x42, 0x00],                                           // bytes that are cut off
            &[0x5B, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF], // more bytes than there can be
            &[0x9A, 0xFF, 0xFF, 0xFF, 0xFF],                         // a list longer than the input
            &[0x62, 0xC3, 0x28],                                     // no UTF-8
            &[0xA2, 0x01, 0x01, 0x01, 0x02],                         // a key twice
            &[0xC0, 0x00],                                           // a tag
            &[0xF9, 0x3C, 0x00],                                     // a fraction
            &[0x81, 0x81, 0x81, 0x81, 0x81, 0x00],                   // too deep
            &[0x1B, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF], // too large a number
        ] {
            assert_eq!(read(bad), None, "{bad:02X?}");
        }
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_or_refused(input in proptest::collection::vec(any::<u8>(), 0..300)) {
            if let Some((_, rest)) = read(&input) {
                prop_assert!(rest.len() < input.len());
            }
        }
    }
}
