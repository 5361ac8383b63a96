//! The exchange of a code for tokens (RFC 6749, section 4.1.3).

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use reqwest::Method;
use reqwest::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, HeaderValue};
use serde::Deserialize;
use zeroize::Zeroizing;

use super::{Client, Metadata, ProviderError};
use crate::form;
use crate::http::{Http, Request};

/// The longest answer: two tokens, each of which may be large.
const LONGEST: usize = 64 * 1024;

/// A code, and what shows that it is ours.
pub struct CodeGrant<'a> {
    pub code: &'a str,
    pub redirect_uri: &'a str,
    /// The PKCE verifier.
    pub verifier: &'a str,
}

/// What the provider gave for the code.
#[derive(Deserialize)]
pub struct Answer {
    pub id_token: String,
    #[serde(default)]
    pub access_token: Option<String>,
}

/// Exchanges a code, once: a provider takes none twice.
///
/// # Errors
/// When the provider does not answer in time, refuses the code, or sends no ID token.
pub async fn exchange(
    http: &Http,
    metadata: &Metadata,
    client: &Client,
    grant: &CodeGrant<'_>,
) -> Result<Answer, ProviderError> {
    let mut pairs = vec![
        ("grant_type", "authorization_code"),
        ("code", grant.code),
        ("redirect_uri", grant.redirect_uri),
        ("code_verifier", grant.verifier),
    ];
    let basic = match &client.secret {
        Some(secret) if metadata.takes_basic => Some(basic(&client.id, secret)?),
        Some(secret) => {
            pairs.extend([("client_id", &*client.id), ("client_secret", secret.as_str())]);
            None
        }
        None => {
            pairs.push(("client_id", &*client.id));
            None
        }
    };
    let mut request = Request {
        method: Method::POST,
        url: metadata.token_endpoint.clone(),
        headers: vec![
            (CONTENT_TYPE, HeaderValue::from_static("application/x-www-form-urlencoded")),
            (ACCEPT, HeaderValue::from_static("application/json")),
        ],
        body: form::encode(&pairs).into_bytes(),
        max_body: LONGEST,
    };
    if let Some(basic) = basic {
        request = request.header(AUTHORIZATION, basic);
    }
    let reply = http.send(request).await?;
    if reply.status != 200 {
        return Err(ProviderError::Status(reply.status));
    }
    read(&reply.body)
}

pub(crate) fn read(body: &[u8]) -> Result<Answer, ProviderError> {
    serde_json::from_slice(body).map_err(|_| ProviderError::Unsound("it sent no ID token for the code"))
}

/// Both parts are encoded as in a form before they are joined (RFC 6749, section 2.3.1).
fn basic(id: &str, secret: &str) -> Result<HeaderValue, ProviderError> {
    let part = |text: &str| form::encode(&[("", text)]).split_off(1);
    let joined = Zeroizing::new(format!("{}:{}", part(id), part(secret)));
    let value = Zeroizing::new(format!("Basic {}", STANDARD.encode(joined.as_bytes())));
    let mut value = HeaderValue::try_from(value.as_str())
        .map_err(|_| ProviderError::Unsound("the client's secret cannot be sent"))?;
    value.set_sensitive(true);
    Ok(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_colon_in_the_id_is_not_the_one_between() {
        let value = basic("a:b", "c d%").unwrap();
        let text = value.to_str().unwrap().strip_prefix("Basic ").unwrap();
        assert_eq!(STANDARD.decode(text).unwrap(), b"a%3Ab:c+d%25");
    }
}
