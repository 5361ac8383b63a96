//! Names by language: 12 bytes each (ordinal u32, language u32, position in the arena u32), sorted.

use crate::format::{Part, u32_at};

pub(crate) const LABEL: usize = 12;

/// A language as labels tell them apart: the primary subtag, and for Chinese the script.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Lang(u32);

impl Lang {
    /// Reads a BCP 47 tag or one of GeoNames' language codes; `None` for what is neither.
    pub fn parse(tag: &str) -> Option<Self> {
        let mut subtags = tag.split(['-', '_']);
        let primary = subtags.next()?.to_ascii_lowercase();
        let known = match primary.as_str() {
            "zh" if subtags
                .any(|s| ["hant", "tw", "hk", "mo"].contains(&s.to_ascii_lowercase().as_str())) =>
            {
                "zht"
            }
            "yue" => "zht",
            "cmn" => "zh",
            "nb" | "nn" => "no",
            "iw" => "he",
            "in" => "id",
            "tl" => "fil",
            other => other,
        };
        let bytes = known.as_bytes();
        if !(2..=3).contains(&bytes.len()) || !bytes.iter().all(u8::is_ascii_lowercase) {
            return None;
        }
        let mut word = [0; 4];
        word[..bytes.len()].copy_from_slice(bytes);
        Some(Self(u32::from_be_bytes(word)))
    }

    pub(crate) fn stored(self) -> u32 {
        self.0
    }
}

/// The labels inside a mapped file.
pub(crate) struct Labels(pub Part);

impl Labels {
    /// Where in the arena the name of a place in a language stands.
    pub(crate) fn find(&self, ordinal: u32, lang: Lang) -> Option<u32> {
        let (labels, _) = self.0.as_ref().as_chunks::<LABEL>();
        let key = |label: &[u8; LABEL]| u32_at(label, 0).zip(u32_at(label, 4));
        let found = labels.binary_search_by_key(&Some((ordinal, lang.0)), key).ok()?;
        u32_at(labels.get(found)?, 8)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tags_of_one_language_are_one() {
        assert_eq!(Lang::parse("pt-BR"), Lang::parse("PT"));
        assert_eq!(Lang::parse("zh-TW"), Lang::parse("zh-Hant-HK"));
        assert_ne!(Lang::parse("zh-CN"), Lang::parse("zh-TW"));
        assert_eq!(Lang::parse("nb"), Lang::parse("no"));
        for nonsense in ["", "-", "e", "english", "d\u{e9}", "12", "../..", "*"] {
            assert_eq!(Lang::parse(nonsense), None, "{nonsense}");
        }
    }
}
