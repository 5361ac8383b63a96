//! Front ends on other origins: exactly those configured, with bearer tokens, never with cookies.

use std::time::Duration;

use domain::{Error, Result};
use http::{HeaderName, HeaderValue, Method, Uri, header};
use tower_http::cors::{AllowOrigin, CorsLayer, Vary};

/// Origins whose pages may call the API. With none there are no CORS headers at all.
#[derive(Clone, Debug, Default)]
pub struct AllowedOrigins(Vec<HeaderValue>);

impl AllowedOrigins {
    /// Each written as a browser sends it: `https://app.example.org`, with a port where it is not the usual one.
    ///
    /// Refuses what no browser would ever send: a path, a slash at the end, upper case; and `*`, which would let
    /// any page in. The error is for whoever wrote the configuration.
    pub fn parse(list: &[String]) -> Result<Self> {
        let one = |text: &String| {
            let value = if is_origin(text) { HeaderValue::try_from(text).ok() } else { None };
            value.ok_or_else(|| {
                Error::internal(format!(
                    "cors_origins: each must look like https://app.example.org, without a slash at the end, and \
                     {text:?} does not"
                ))
            })
        };
        list.iter().map(one).collect::<Result<_>>().map(Self)
    }

    /// Whether pages of this origin may call.
    pub(crate) fn contains(&self, origin: &HeaderValue) -> bool {
        self.0.contains(origin)
    }

    /// The layer that answers preflights and marks answers; `None` when nobody is allowed.
    pub(crate) fn layer(&self) -> Option<CorsLayer> {
        if self.0.is_empty() {
            return None;
        }
        let allowed = [
            header::AUTHORIZATION,
            header::CONTENT_TYPE,
            header::IF_MATCH,
            header::IF_NONE_MATCH,
            HeaderName::from_static("idempotency-key"),
            HeaderName::from_static("last-event-id"),
        ];
        let exposed = [
            header::DATE,
            header::ETAG,
            header::LINK,
            header::LOCATION,
            header::RETRY_AFTER,
            header::WWW_AUTHENTICATE,
            HeaderName::from_static("ratelimit"),
            HeaderName::from_static("ratelimit-policy"),
            HeaderName::from_static("x-request-id"),
        ];
        let layer = CorsLayer::new()
            .allow_origin(AllowOrigin::list(self.0.iter().cloned()))
            .allow_methods([Method::GET, Method::POST, Method::PUT, Method::PATCH, Method::DELETE])
            .allow_headers(allowed)
            .expose_headers(exposed)
            .max_age(Duration::from_secs(3600))
            // Every answer says that it varies by origin, CORS or not.
            .vary(Vary::list([]));
        Some(layer)
    }
}

fn is_origin(text: &str) -> bool {
    let Ok(uri) = text.parse::<Uri>() else { return false };
    let (Some(scheme), Some(authority)) = (uri.scheme_str(), uri.authority()) else { return false };
    let plain =
        authority.as_str().bytes().all(|b| b.is_ascii_graphic() && !b.is_ascii_uppercase() && b != b'@');
    // Compared with the text itself, so that nothing may follow the authority.
    matches!(scheme, "https" | "http") && plain && text == format!("{scheme}://{authority}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_a_browser_sends_is_an_origin() {
        for origin in ["https://app.example.org", "http://localhost:5173", "https://[2001:db8::1]:8443"] {
            assert!(AllowedOrigins::parse(&[origin.to_owned()]).is_ok(), "{origin}");
        }
        let wrong = [
            "*",
            "null",
            "",
            "app.example.org",
            "https://app.example.org/",
            "https://app.example.org/app",
            "https://App.example.org",
            "https://me@app.example.org",
            "ftp://app.example.org",
            "https://",
        ];
        for text in wrong {
            assert!(AllowedOrigins::parse(&[text.to_owned()]).is_err(), "{text}");
        }
        assert!(AllowedOrigins::default().layer().is_none());
    }
}
