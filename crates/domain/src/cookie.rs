//! The cookies: their names, their attributes, and how they are found again.

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
        set(self.name(), value, max_age, self == Self::Secure)
    }

    /// The cookie beside it by which a device is known, in the same form.
    pub const fn device(self) -> DeviceCookie {
        DeviceCookie(self)
    }
}

/// Lets a browser be known in which somebody signed in before. It opens nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DeviceCookie(SessionCookie);

impl DeviceCookie {
    /// The exact name, case and all.
    pub const fn name(self) -> &'static str {
        match self.0 {
            SessionCookie::Secure => "__Host-device",
            SessionCookie::Loopback => "device",
        }
    }

    /// The value of `Set-Cookie` for a token that ends at `ends_at`.
    pub fn set(self, value: &str, ends_at: Timestamp, now: Timestamp) -> String {
        set(self.name(), value, ends_at.since(now).as_secs(), self.0 == SessionCookie::Secure)
    }

    /// The value of this cookie in a `Cookie` header, as [`SessionCookie::find`] finds it.
    pub fn find(self, header: &str) -> Option<&str> {
        find(header, self.name())
    }
}

fn set(name: &str, value: &str, max_age: u64, is_secure: bool) -> String {
    let secure = if is_secure { "; Secure" } else { "" };
    format!("{name}={value}; Path=/; Max-Age={max_age}; HttpOnly; SameSite=Strict{secure}")
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
        assert_eq!(
            SessionCookie::Secure.device().set("abc", Timestamp::from_seconds(1060), now),
            "__Host-device=abc; Path=/; Max-Age=60; HttpOnly; SameSite=Strict; Secure"
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
        let both = "__Host-sid=a; __Host-device=b";
        assert_eq!((cookie.find(both), cookie.device().find(both)), (Some("a"), Some("b")));
    }
}
