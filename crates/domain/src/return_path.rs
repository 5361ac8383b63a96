//! Where a browser comes back to after it was at a provider: a page of ours, never anybody else's.

use crate::Invalid;

/// A path on our own origin, with a query perhaps.
///
/// Browsers read more as an address than people see in it: `//evil.example` and `/\evil.example` are other hosts, and
/// what is encoded may be decoded by whatever stands in between. So this is no parser that looks for what is bad, but
/// a short list of what may be there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReturnPath(Box<str>);

const LONGEST: usize = 512;

impl ReturnPath {
    /// The first page.
    pub fn home() -> Self {
        Self("/".into())
    }

    /// Reads segments of letters, digits and `-._~`, none of them empty or made of dots alone, and behind a question
    /// mark the same with `=&%+`.
    pub fn parse(text: &str) -> Result<Self, Invalid> {
        let (path, query) = text.split_once('?').unwrap_or((text, ""));
        let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
        let sound_query = query.bytes().all(|byte| is_plain(byte) || b"=&%+".contains(&byte));
        let sound_path = path.strip_prefix('/').is_some_and(|path| {
            let path = path.strip_suffix('/').unwrap_or(path);
            path.is_empty()
                || path
                    .split('/')
                    .all(|segment| segment.bytes().all(is_plain) && segment.bytes().any(|byte| byte != b'.'))
        });
        // "//" alone loses both of its slashes above.
        if text.len() <= LONGEST && !path.starts_with("//") && sound_path && sound_query {
            Ok(Self(text.into()))
        } else {
            let detail =
                "must be a path of this server, such as /settings: segments of letters, digits and -._~";
            Err(Invalid::new("/return_to", "malformed", detail))
        }
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn pages_of_ours_are_taken() {
        for good in
            ["/", "/settings", "/settings/", "/a/b-c_d.e~f", "/x?tab=1&q=a%20b+c", "/?a", "/.well-known/x"]
        {
            assert_eq!(ReturnPath::parse(good).unwrap().as_str(), good);
        }
    }

    #[test]
    fn nothing_else_is() {
        for bad in [
            "",
            "settings",
            "https://evil.example/",
            "//",
            "//evil.example",
            "///evil.example",
            "/\\evil.example",
            "\\\\evil.example",
            "/\t/evil.example",
            "/\n/evil.example",
            " //evil.example",
            "/ /evil.example",
            "/%2f/evil.example",
            "/%2F%2Fevil.example",
            "/%5cevil.example",
            "/%09/evil.example",
            "/.//evil.example",
            "/..//evil.example",
            "/./x",
            "/../x",
            "/a//b",
            "/a/..",
            "/@evil.example",
            "/:80",
            "/a#fragment",
            "/a?b#c",
            "/a?b=//evil.example",
            "/ä",
            "javascript:alert(1)",
            "?a=b",
            &format!("/{}", "x".repeat(512)),
        ] {
            assert!(ReturnPath::parse(bad).is_err(), "{bad:?}");
        }
    }

    proptest! {
        #[test]
        fn whatever_is_taken_is_a_path_and_no_host(text in r"[/\\.a%:@?#\t ]{0,12}") {
            if ReturnPath::parse(&text).is_ok() {
                prop_assert!(text.starts_with('/') && !text.starts_with("//") && !text.contains('\\'), "{}", text);
                prop_assert!(text.bytes().all(|byte| byte.is_ascii_graphic()) && !text.contains('#'), "{}", text);
            }
        }
    }
}
