//! The cookie that binds a way through a provider to the browser that began it.

use std::time::Duration;

use crate::cookie::{SessionCookie, find};

/// How long a way through a provider may take.
pub const OAUTH_LIFETIME: Duration = Duration::from_secs(10 * 60);

/// `Lax` where the session's own cookie is `Strict`: the browser comes back from another site, and must bring it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OauthCookie(SessionCookie);

impl OauthCookie {
    /// The form that goes with the session's cookie.
    pub const fn beside(session: SessionCookie) -> Self {
        Self(session)
    }

    /// The exact name, case and all.
    pub const fn name(self) -> &'static str {
        match self.0 {
            SessionCookie::Secure => "__Host-oauth",
            SessionCookie::Loopback => "oauth",
        }
    }

    pub fn set(self, value: &str) -> String {
        self.header(value, OAUTH_LIFETIME.as_secs())
    }

    pub fn clear(self) -> String {
        self.header("", 0)
    }

    /// The value in a `Cookie` header, under the rules of [`SessionCookie::find`].
    pub fn find(self, header: &str) -> Option<&str> {
        find(header, self.name())
    }

    fn header(self, value: &str, max_age: u64) -> String {
        let secure = match self.0 {
            SessionCookie::Secure => "; Secure",
            SessionCookie::Loopback => "",
        };
        format!("{}={value}; Path=/; Max-Age={max_age}; HttpOnly; SameSite=Lax{secure}", self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_comes_back_from_another_site_and_is_bound_to_this_host() {
        let cookie = OauthCookie::beside(SessionCookie::Secure);
        assert_eq!(
            cookie.set("abc"),
            "__Host-oauth=abc; Path=/; Max-Age=600; HttpOnly; SameSite=Lax; Secure"
        );
        let here = OauthCookie::beside(SessionCookie::Loopback);
        assert_eq!(here.clear(), "oauth=; Path=/; Max-Age=0; HttpOnly; SameSite=Lax");
        assert_eq!(cookie.find("__Host-sid=x; __Host-oauth=abc"), Some("abc"));
        assert_eq!(cookie.find("__Host-oauth=a; __Host-oauth=b"), None);
    }
}
