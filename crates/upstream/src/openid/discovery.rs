//! What a provider says of itself (OpenID Connect Discovery 1.0), and its keys.

use reqwest::Url;
use serde::Deserialize;

use super::{ProviderError, address};
use crate::http::{Http, Request};

/// The longest document; real ones have a few kilobytes.
const LONGEST: usize = 128 * 1024;

/// What we use of a provider's metadata.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Metadata {
    pub issuer: String,
    pub authorization_endpoint: Url,
    pub token_endpoint: Url,
    pub jwks_uri: Url,
    /// What it signs ID tokens with.
    pub algorithms: Vec<String>,
    /// Whether it takes a client's secret in the `Authorization` header, else in the body.
    pub takes_basic: bool,
    /// Whether it puts `iss` into every answer (RFC 9207).
    pub names_issuer: bool,
    /// Whether it says that it checks PKCE with S256.
    pub checks_pkce: bool,
}

#[derive(Deserialize)]
struct Wire {
    issuer: String,
    authorization_endpoint: String,
    token_endpoint: String,
    jwks_uri: String,
    #[serde(default)]
    response_types_supported: Option<Vec<String>>,
    #[serde(default)]
    id_token_signing_alg_values_supported: Option<Vec<String>>,
    #[serde(default)]
    token_endpoint_auth_methods_supported: Option<Vec<String>>,
    #[serde(default)]
    code_challenge_methods_supported: Option<Vec<String>>,
    #[serde(default)]
    authorization_response_iss_parameter_supported: bool,
}

/// Asks the provider of this name what it is. The document counts only when it names itself exactly so: whoever
/// controls another one could else speak for it.
///
/// # Errors
/// When it does not answer in time, or what it says cannot be used.
pub async fn discover(http: &Http, issuer: &str) -> Result<Metadata, ProviderError> {
    let url = address(&format!("{}/.well-known/openid-configuration", issuer.trim_end_matches('/')))?;
    read(&fetch(http, url).await?, issuer)
}

/// What a document says of the provider of this name.
pub(crate) fn read(document: &[u8], issuer: &str) -> Result<Metadata, ProviderError> {
    let wire: Wire = serde_json::from_slice(document)
        .map_err(|_| ProviderError::Unsound("its metadata is no OpenID Connect discovery document"))?;
    wire.read(issuer)
}

/// The provider's public keys, as it wrote them.
///
/// # Errors
/// When it does not answer in time.
pub async fn keys(http: &Http, metadata: &Metadata) -> Result<Vec<u8>, ProviderError> {
    fetch(http, metadata.jwks_uri.clone()).await
}

async fn fetch(http: &Http, url: Url) -> Result<Vec<u8>, ProviderError> {
    let reply = http.send(Request::get(url, LONGEST)).await?;
    if reply.status == 200 { Ok(reply.body) } else { Err(ProviderError::Status(reply.status)) }
}

impl Wire {
    fn read(self, issuer: &str) -> Result<Metadata, ProviderError> {
        let unsound = |what| Err(ProviderError::Unsound(what));
        if self.issuer != issuer {
            return unsound("its metadata names another issuer than the configuration");
        }
        let has = |list: &Option<Vec<String>>, name: &str| {
            list.as_ref().is_none_or(|list| list.iter().any(|entry| entry == name))
        };
        if !has(&self.response_types_supported, "code") {
            return unsound("it does not offer the authorization code flow");
        }
        // Without a list it is `client_secret_basic` (OpenID Connect Discovery 1.0, section 3).
        let takes_basic = has(&self.token_endpoint_auth_methods_supported, "client_secret_basic");
        let checks_pkce = self.code_challenge_methods_supported.is_some()
            && has(&self.code_challenge_methods_supported, "S256");
        Ok(Metadata {
            authorization_endpoint: address(&self.authorization_endpoint)?,
            token_endpoint: address(&self.token_endpoint)?,
            jwks_uri: address(&self.jwks_uri)?,
            // Every provider must offer it.
            algorithms: self
                .id_token_signing_alg_values_supported
                .unwrap_or_else(|| vec![String::from("RS256")]),
            takes_basic,
            names_issuer: self.authorization_response_iss_parameter_supported,
            checks_pkce,
            issuer: self.issuer,
        })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    const ISSUER: &str = "https://id.example";

    fn read(change: &Value) -> Result<Metadata, ProviderError> {
        let mut document = json!({
            "issuer": ISSUER,
            "authorization_endpoint": "https://id.example/authorize",
            "token_endpoint": "https://id.example/token",
            "jwks_uri": "https://keys.example/jwks",
        });
        for (name, value) in change.as_object().unwrap() {
            document[name] = value.clone();
        }
        serde_json::from_value::<Wire>(document).unwrap().read(ISSUER)
    }

    #[test]
    fn what_is_not_said_has_its_usual_value() {
        let metadata = read(&json!({})).unwrap();
        assert_eq!(metadata.algorithms, ["RS256"]);
        assert!(metadata.takes_basic && !metadata.names_issuer && !metadata.checks_pkce);
        let post = json!({"token_endpoint_auth_methods_supported": ["client_secret_post"]});
        assert!(!read(&post).unwrap().takes_basic);
    }

    #[test]
    fn what_cannot_be_used_is_refused() {
        for change in [
            json!({"issuer": "https://id.example/"}),
            json!({"issuer": "https://evil.example"}),
            json!({"token_endpoint": "http://id.example/token"}),
            json!({"jwks_uri": "file:///etc/passwd"}),
            json!({"authorization_endpoint": "javascript:alert(1)"}),
            json!({"response_types_supported": ["id_token"]}),
        ] {
            assert!(read(&change).is_err(), "{change}");
        }
    }
}
