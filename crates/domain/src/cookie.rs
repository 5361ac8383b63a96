//! The session cookie: its name, its attributes, and how it is found again.

use crate::Timestamp;

/// Which form of the cookie this server uses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SessionCookie {
    /// `__Host-sid`, over TLS only: the browser binds it to this very host (RFC 6265bis section 4.1.3.2).
    Secure,
    /// `sid` without `Secure`: `dev` on loopback, where there is no TLS.
    Loopback,
}

impl SessionCookie {
    /// The exact name, case and all.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Secure => "__Host-sid",
            Self::Loopback => "sid",
        }
    }

    /// The value of `Set-Cookie` for a session that ends at `ends_at`.
    pub fn set(self, value: &str, ends_at: Timestamp, now: Timestamp) -> String {
        self.header(value, ends_at.since(now).as_secs())
    }

    /// The value of `Set-Cookie` that removes it.
    pub fn clear(self) -> String {
        self.header("", 0)
    }

    /// The value of this cookie in a `Cookie` header; `None` when it is absent, empty, or given twice:
    /// of two, one was put there by somebody else, and guessing which would be a mistake.
    pub fn find(self, header: &str) -> Option<&str> {
        find(header, self.name())
    }

    fn header(self, value: &str, max_age: u64) -> String {
        let secure = match self {
            Self::Secure => "; Secure",
            Self::Loopback => "",
        };
        format!("{}={value}; Path=/; Max-Age={max_age}; HttpOnly; SameSite=Strict{secure}", self.name())
    }
}

/// The one value of a cookie in a `Cookie` header.
pub(crate) fn find<'a>(header: &'a str, name: &str) -> Option<&'a str> {
    let mut found = header
        .split(';')
        .filter_map(|pair| pair.trim_matches([' ', '\t']).split_once('='))
        .filter(|(known, _)| *known == name)
        .map(|(_, value)| value);
    let value = found.next().filter(|value| !value.is_empty())?;
    found.next().is_none().then_some(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn attributes_are_as_strict_as_browsers_allow() {
        let now = Timestamp::from_seconds(1000);
        assert_eq!(
            SessionCookie::Secure.set("abc", Timestamp::from_seconds(1060), now),
            "__Host-sid=abc; Path=/; Max-Age=60; HttpOnly; SameSite=Strict; Secure"
        );
        assert_eq!(SessionCookie::Loopback.clear(), "sid=; Path=/; Max-Age=0; HttpOnly; SameSite=Strict");
    }

    #[test]
    fn it_is_found_by_its_exact_name_and_only_once() {
        let cookie = SessionCookie::Secure;
        assert_eq!(cookie.find("a=b; __Host-sid=xyz;c=d"), Some("xyz"));
        assert_eq!(cookie.find("__Host-sid=x=y"), Some("x=y"));
        for header in ["", "sid=xyz", "__host-sid=xyz", "__Host-sid=", "__Host-sid", "x__Host-sid=1"] {
            assert_eq!(cookie.find(header), None, "{header}");
        }
        assert_eq!(cookie.find("__Host-sid=evil; __Host-sid=mine"), None);
    }
}
