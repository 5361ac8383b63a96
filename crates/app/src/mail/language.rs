//! The languages that mail is written in, and which one somebody is written to.

use super::letter::Letter;
use super::{Template, english, german};

/// A language that every mail exists in: [`Language::write`] does not compile otherwise.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Language {
    #[default]
    English,
    German,
}

impl Language {
    pub const ALL: [Self; 2] = [Self::English, Self::German];

    /// The tag of the language (RFC 5646).
    pub const fn tag(self) -> &'static str {
        match self {
            Self::English => "en",
            Self::German => "de",
        }
    }

    /// The language of a tag such as `de` or `de-AT`; `None` for those that mail is not written in.
    pub fn parse(tag: &str) -> Option<Self> {
        let primary = tag.split('-').next().unwrap_or_default();
        Self::ALL.into_iter().find(|language| language.tag().eq_ignore_ascii_case(primary))
    }

    /// What a browser likes best of what there is (RFC 9110 section 12.5.4). Of equals the first counts; what does not
    /// parse counts nothing.
    pub fn accepted(header: &str) -> Option<Self> {
        let weighted = header.split(',').take(MOST_RANGES).filter_map(|range| {
            let mut parts = range.split(';').map(str::trim);
            let language = Self::parse(parts.next()?)?;
            let quality = match parts.next() {
                None => 1.0,
                Some(weight) => weight.strip_prefix("q=")?.parse::<f32>().ok()?,
            };
            (quality > 0.0 && quality <= 1.0).then_some((language, quality))
        });
        let better = |best: Option<(Self, f32)>, next: (Self, f32)| match best {
            Some(best) if best.1 >= next.1 => Some(best),
            _ => Some(next),
        };
        weighted.fold(None, better).map(|(language, _)| language)
    }

    pub(super) fn write(self, template: &Template<'_>, public_url: &str) -> Letter {
        match self {
            Self::English => english::write(template, public_url),
            Self::German => german::write(template, public_url),
        }
    }
}

/// Nobody speaks more languages than that; the header may be as long as a request's head.
const MOST_RANGES: usize = 32;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_best_that_there_is_wins() {
        for (header, language) in [
            ("de", Some(Language::German)),
            ("de-AT, en;q=0.8", Some(Language::German)),
            ("fr-CH, fr;q=0.9, en;q=0.8, DE;q=0.7, *;q=0.5", Some(Language::English)),
            ("en;q=0.2, de;q=0.9", Some(Language::German)),
            ("en;q=0, de;q=0.1", Some(Language::German)),
            ("en, de", Some(Language::English)),
            ("fr, *", None),
            ("", None),
            ("de;q=high, ;;;, en;q=2", None),
            ("deutsch", None),
        ] {
            assert_eq!(Language::accepted(header), language, "{header}");
        }
    }
}
