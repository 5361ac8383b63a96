//! OpenID Connect as a client of somebody else's provider: what it says of itself, its keys, and the exchange of a
//! code. Nothing here believes anything: tokens are checked by `vault`.

use std::fmt;

use reqwest::Url;
use zeroize::Zeroizing;

use crate::form;
use crate::http::HttpError;

pub(crate) mod discovery;
pub(crate) mod exchange;

pub use discovery::{Metadata, discover, keys};
pub use exchange::{Answer, CodeGrant, exchange};

/// What we are to a provider.
#[derive(Clone)]
pub struct Client {
    pub id: String,
    /// None for a public client, which proves itself by PKCE alone.
    pub secret: Option<Zeroizing<String>>,
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client").field("id", &self.id).finish_non_exhaustive()
    }
}

/// Why a provider could not be used. Nothing of what it answered is in here: that may hold tokens.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ProviderError {
    #[error("{0}")]
    Http(#[from] HttpError),
    #[error("it answered with status {0}")]
    Status(u16),
    #[error("{0}")]
    Unsound(&'static str),
}

impl ProviderError {
    /// Whether asking again later may help; otherwise the provider said no, or says nonsense.
    pub const fn is_passing(self) -> bool {
        match self {
            Self::Http(_) => true,
            Self::Status(status) => status >= 500 || status == 429,
            Self::Unsound(_) => false,
        }
    }
}

/// An address that may be used for a provider: encrypted, or on this machine, and without anything in it that is not
/// an address.
///
/// # Errors
/// With the rule that it breaks.
pub fn address(text: &str) -> Result<Url, ProviderError> {
    let url = Url::parse(text).map_err(|_| ProviderError::Unsound("an address is malformed"))?;
    let is_here = matches!(url.host_str(), Some("localhost" | "127.0.0.1" | "[::1]"));
    if url.scheme() != "https" && !(url.scheme() == "http" && is_here) {
        return Err(ProviderError::Unsound("an address does not begin with https://"));
    }
    if !url.username().is_empty() || url.password().is_some() || url.fragment().is_some() {
        return Err(ProviderError::Unsound("an address carries a login or a fragment"));
    }
    Ok(url)
}

/// What a browser is sent to the provider with.
pub struct Authorization<'a> {
    pub client_id: &'a str,
    pub redirect_uri: &'a str,
    pub scopes: &'a str,
    pub state: &'a str,
    pub nonce: &'a str,
    /// S256 of the verifier.
    pub challenge: &'a str,
    /// Asks the provider to have the person show again who they are.
    pub is_fresh: bool,
}

impl Authorization<'_> {
    /// Where the browser goes.
    pub fn url(&self, endpoint: &Url) -> String {
        let mut pairs = vec![
            ("response_type", "code"),
            ("client_id", self.client_id),
            ("redirect_uri", self.redirect_uri),
            ("scope", self.scopes),
            ("state", self.state),
            ("nonce", self.nonce),
            ("code_challenge", self.challenge),
            ("code_challenge_method", "S256"),
        ];
        if self.is_fresh {
            // With `max_age` the provider must tell when that was (`auth_time`); `prompt` alone it may pass over.
            pairs.extend([("prompt", "login"), ("max_age", "0")]);
        }
        form::with_query(endpoint, &pairs).into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_encrypted_or_here() {
        for good in ["https://id.example", "http://127.0.0.1:9/x", "http://localhost", "http://[::1]:9"] {
            assert!(address(good).is_ok(), "{good}");
        }
        for bad in [
            "",
            "id.example",
            "http://id.example",
            "http://127.0.0.2",
            "http://localhost.evil.example",
            "ftp://localhost",
            "javascript:alert(1)",
            "https://ann:secret@id.example",
            "https://id.example#x",
        ] {
            assert!(address(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn debug_tells_no_secret() {
        let client = Client { id: "we".into(), secret: Some(Zeroizing::new("hidden".into())) };
        assert_eq!(format!("{client:?}"), r#"Client { id: "we", .. }"#);
    }
}
