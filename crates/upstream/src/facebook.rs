//! Facebook Login in its classic form: an access token that says nothing by itself, so Graph is asked whose it is and
//! whether it was given to our app.

use reqwest::Url;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use zeroize::Zeroizing;

use crate::form;
use crate::http::{Http, Request};
use crate::openid::{Authorization, Client, CodeGrant, ProviderError, address};

/// Graph's version: Facebook keeps each for about two years.
const VERSION: &str = "v24.0";
const LONGEST: usize = 16 * 1024;

/// Where Facebook is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Facebook {
    dialog: Url,
    graph: Url,
}

/// Whom an access token is of.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Person {
    /// The person's number towards our app.
    pub id: String,
}

#[derive(Deserialize)]
struct Token {
    access_token: String,
}

/// What Graph says of an access token.
#[derive(Deserialize)]
pub(crate) struct Inspected {
    data: Inspection,
}

#[derive(Deserialize)]
struct Inspection {
    app_id: String,
    user_id: String,
    is_valid: bool,
}

impl Facebook {
    /// The real one is `https://www.facebook.com` and `https://graph.facebook.com`.
    ///
    /// # Errors
    /// When one of them is no address.
    pub fn at(dialog: &str, graph: &str) -> Result<Self, ProviderError> {
        let under = |base: &str, path: &str| address(&format!("{}/{path}", base.trim_end_matches('/')));
        Ok(Self {
            dialog: under(dialog, &format!("{VERSION}/dialog/oauth"))?,
            graph: under(graph, &format!("{VERSION}/"))?,
        })
    }

    /// Where the browser goes.
    pub fn authorization_url(&self, authorization: &Authorization<'_>) -> String {
        authorization.url(&self.dialog)
    }

    /// Whose code this is. `proof` makes the `appsecret_proof` of an access token.
    ///
    /// # Errors
    /// When Facebook does not answer in time, refuses the code, or the token was given to another app.
    pub async fn person(
        &self,
        http: &Http,
        client: &Client,
        grant: &CodeGrant<'_>,
        proof: impl Fn(&str) -> String,
    ) -> Result<Person, ProviderError> {
        let secret = client.secret.as_ref().ok_or(ProviderError::Unsound("it needs a client_secret"))?;
        let token: Token = self
            .get(
                http,
                "oauth/access_token",
                &[
                    ("client_id", &client.id),
                    ("client_secret", secret),
                    ("redirect_uri", grant.redirect_uri),
                    ("code", grant.code),
                    ("code_verifier", grant.verifier),
                ],
            )
            .await?;
        let token = token.access_token;
        let app_token = Zeroizing::new(format!("{}|{}", client.id, secret.as_str()));
        let asked = [("input_token", token.as_str()), ("access_token", app_token.as_str())];
        let inspected: Inspected = self.get(http, "debug_token", &asked).await?;
        inspected.require_app(&client.id)?;
        let proof = proof(&token);
        let asked = [("fields", "id"), ("access_token", token.as_str()), ("appsecret_proof", &proof)];
        inspected.confirm(self.get(http, "me", &asked).await?)
    }

    async fn get<T: DeserializeOwned>(
        &self,
        http: &Http,
        path: &str,
        query: &[(&str, &str)],
    ) -> Result<T, ProviderError> {
        let url = self.graph.join(path).map_err(|_| ProviderError::Unsound("an address is malformed"))?;
        let reply = http.send(Request::get(form::with_query(&url, query), LONGEST)).await?;
        if reply.status != 200 {
            return Err(ProviderError::Status(reply.status));
        }
        read(&reply.body)
    }
}

pub(crate) fn read<T: DeserializeOwned>(body: &[u8]) -> Result<T, ProviderError> {
    serde_json::from_slice(body)
        .map_err(|_| ProviderError::Unsound("its answer has another form than it should"))
}

impl Inspected {
    /// A token of another app would be good for `me` too: whoever runs that app could sign in as its users.
    pub(crate) fn require_app(&self, id: &str) -> Result<(), ProviderError> {
        if self.data.is_valid && self.data.app_id == id {
            return Ok(());
        }
        Err(ProviderError::Unsound("the access token was not given to this app"))
    }

    /// The person that the token itself leads to, if it is the one of whom Graph says that it is.
    pub(crate) fn confirm(&self, person: Person) -> Result<Person, ProviderError> {
        if person.id != self.data.user_id || person.id.is_empty() || person.id.len() > 64 {
            return Err(ProviderError::Unsound("two answers about one access token differ"));
        }
        Ok(person)
    }
}
