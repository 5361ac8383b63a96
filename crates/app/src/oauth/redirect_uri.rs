//! Where an app has a browser sent back to: an address that the operator registered, to the letter.

use domain::{Error, Result};
use upstream::form;
use upstream::openid::address;

/// A registered address of an app.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RedirectUri(String);

/// A program on the person's machine listens on a port that nobody knows before (RFC 8252, section 7.3).
const LOOPBACK: [&str; 2] = ["http://127.0.0.1", "http://[::1]"];

impl RedirectUri {
    /// Reads what an operator wrote: `https://…` of an app's own (a link that only it may open),
    /// `org.example.app:/…` (a scheme with a dot, RFC 8252 section 7.1), or `http://127.0.0.1/…` for any port.
    ///
    /// # Errors
    /// With the rule that it breaks.
    pub fn parse(text: &str) -> Result<Self> {
        let wrong = || {
            Error::internal(format!(
                "app_redirect_uris: {text:?} must be https://…, a scheme of your own with a dot in it such as \
                 org.example.app:/callback, or http://127.0.0.1/…, without a fragment"
            ))
        };
        let (scheme, rest) = text.split_once(':').ok_or_else(wrong)?;
        let sound = match scheme {
            "https" => address(text).is_ok(),
            "http" => {
                LOOPBACK.iter().any(|host| without_port(text, host).is_some_and(|path| path.starts_with('/')))
            }
            own => {
                own.contains('.')
                    && own
                        .bytes()
                        .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b".-+".contains(&b))
                    && rest.starts_with('/')
            }
        };
        let plain = text.bytes().all(|b| b.is_ascii_graphic()) && !text.contains(['#', '\\', '?']);
        if sound && plain { Ok(Self(text.to_owned())) } else { Err(wrong()) }
    }

    /// Whether `asked` is this address: to the letter, but for the port on the person's own machine.
    pub fn allows(&self, asked: &str) -> bool {
        if asked == self.0 {
            return true;
        }
        LOOPBACK.iter().any(|host| {
            let registered = without_port(&self.0, host);
            registered.is_some() && registered == without_port(asked, host)
        })
    }
}

/// What follows host and port, when the address is of this host.
fn without_port<'a>(text: &'a str, host: &str) -> Option<&'a str> {
    let rest = text.strip_prefix(host)?;
    match rest.strip_prefix(':') {
        Some(rest) => {
            let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
            (1..=5).contains(&digits).then(|| rest.split_at(digits).1)
        }
        None => Some(rest),
    }
}

/// The address with an answer behind it.
pub(super) fn with_answer(uri: &str, pairs: &[(&str, &str)]) -> String {
    // Registered addresses have neither query nor fragment.
    format!("{uri}?{}", form::encode(pairs))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_an_app_can_own_is_registered() {
        for good in [
            "https://app.example.org/callback",
            "org.example.app:/callback",
            "http://127.0.0.1/callback",
            "http://[::1]/callback",
        ] {
            assert!(RedirectUri::parse(good).is_ok(), "{good}");
        }
        for bad in [
            "",
            "app:/callback",
            "javascript:alert(1)",
            "data:text/html,x",
            "http://app.example.org/callback",
            "http://127.0.0.1.evil.example/",
            "https://app.example.org/callback#x",
            "https://ann@app.example.org/",
            "org.example.app:/a b",
        ] {
            assert!(RedirectUri::parse(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn an_address_is_taken_to_the_letter_but_for_a_port_here() {
        let of = |text: &str| RedirectUri::parse(text).unwrap();
        let here = of("http://127.0.0.1/callback");
        assert!(here.allows("http://127.0.0.1/callback") && here.allows("http://127.0.0.1:51004/callback"));
        for other in [
            "http://127.0.0.1:51004/other",
            "http://127.0.0.1:x/callback",
            "http://127.0.0.1:1@evil.example/callback",
            "http://127.0.0.1:/callback",
            "http://127.0.0.1:123456/callback",
            "http://127.0.0.1.evil.example/callback",
            "http://[::1]:80/callback",
        ] {
            assert!(!here.allows(other), "{other}");
        }
        let app = of("https://app.example.org/callback");
        assert!(app.allows("https://app.example.org/callback"));
        for other in [
            "https://app.example.org/callback/",
            "https://app.example.org/callback?x",
            "https://app.example.org:8443/callback",
        ] {
            assert!(!app.allows(other), "{other}");
        }
        assert_eq!(with_answer("org.example.app:/cb", &[("code", "a&b")]), "org.example.app:/cb?code=a%26b");
    }
}
