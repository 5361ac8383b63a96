//! The ways in through providers: Google, Facebook, and any other that speaks OpenID Connect.
//!
//! A way begins with [`start`], goes through the provider, and comes back to [`callback`]; an app then exchanges what it
//! got in [`token`]. What is under way is a [`step`] in the database, good once. Whatever the way, [`arrival`] decides
//! what it leads to. An identity is issuer and subject: **an e-mail never leads to an account.**

use std::collections::BTreeMap;
use std::sync::Arc;

use domain::identity::ProviderName;
use domain::{Error, Result};
use upstream::facebook::Facebook;
use upstream::http::Http;
use upstream::openid::{self, Client, ProviderError};
use vault::app_secret::AppSecret;

mod arrival;
mod callback;
mod documents;
mod facebook;
mod redirect_uri;
mod start;
mod step;
mod token;

pub use arrival::Arrived;
pub use callback::{Answer, Landing, Outcome};
pub use facebook::Deletion;
pub use redirect_uri::RedirectUri;
pub use start::{StartRequest, Started};
pub use step::Purpose;
pub use token::Grant;

use documents::Documents;

/// What kind of provider it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ProviderKind {
    /// Any that speaks OpenID Connect.
    OpenId,
    /// OpenID Connect, and two writings of its own name.
    Google,
    /// OAuth of Facebook's own.
    Facebook,
}

impl ProviderKind {
    /// The word used in the configuration and in the API.
    pub const fn name(self) -> &'static str {
        match self {
            Self::OpenId => "oidc",
            Self::Google => "google",
            Self::Facebook => "facebook",
        }
    }

    /// Whether it can be asked to have a person show again who they are, and says when they did.
    pub(crate) const fn can_step_up(self) -> bool {
        !matches!(self, Self::Facebook)
    }
}

/// A provider as the operator configured it.
#[derive(Clone, Debug)]
pub struct ProviderSettings {
    pub name: ProviderName,
    /// What people know it by.
    pub label: String,
    pub kind: ProviderKind,
    /// The provider's name of itself, where its metadata is found; of Facebook, where its dialog is.
    pub issuer: String,
    /// Where Facebook's Graph is.
    pub graph_url: String,
    pub client: Client,
    /// Our ids in native apps, whose ID tokens may be for them.
    pub native_client_ids: Vec<String>,
    pub scopes: Vec<String>,
    /// Where apps may have a browser sent back to.
    pub app_redirect_uris: Vec<RedirectUri>,
}

/// How a provider is spoken with.
enum Protocol {
    OpenId(Documents),
    Facebook { at: Facebook, secret: Box<AppSecret> },
}

/// One provider.
pub struct Provider {
    settings: ProviderSettings,
    protocol: Protocol,
    http: Http,
}

/// All that are configured. Cheap to clone.
#[derive(Clone, Default)]
pub struct Providers(Arc<BTreeMap<ProviderName, Provider>>);

impl Providers {
    /// # Errors
    /// With what is wrong in the configuration, for whoever wrote it.
    pub fn new(http: &Http, all: Vec<ProviderSettings>) -> Result<Self> {
        let one = |settings: ProviderSettings| {
            let name = settings.name.clone();
            let wrong = |what: String| Error::internal(format!("providers.{name}: {what}"));
            openid::address(&settings.issuer).map_err(|error| wrong(format!("issuer: {error}")))?;
            let protocol = match settings.kind {
                ProviderKind::OpenId | ProviderKind::Google => {
                    Protocol::OpenId(Documents::of(settings.issuer.clone()))
                }
                ProviderKind::Facebook => {
                    let secret = settings.client.secret.as_ref();
                    let secret = secret.ok_or_else(|| wrong(String::from("client_secret is missing")))?;
                    let at = Facebook::at(&settings.issuer, &settings.graph_url)
                        .map_err(|error| wrong(error.to_string()))?;
                    Protocol::Facebook { at, secret: Box::new(AppSecret::new(secret)) }
                }
            };
            Ok((name, Provider { settings, protocol, http: http.clone() }))
        };
        Ok(Self(Arc::new(all.into_iter().map(one).collect::<Result<_>>()?)))
    }

    pub fn iter(&self) -> impl Iterator<Item = &Provider> {
        self.0.values()
    }

    /// The provider of this name.
    pub fn get(&self, name: &str) -> Result<&Provider> {
        ProviderName::parse(name).and_then(|name| self.0.get(&name)).ok_or(Error::NotFound)
    }
}

impl Provider {
    pub fn settings(&self) -> &ProviderSettings {
        &self.settings
    }

    fn name(&self) -> &str {
        self.settings.name.as_str()
    }

    /// The one address to which the provider sends browsers back. Each provider has its own, so that an answer of one
    /// cannot be passed off as another's (RFC 9700, section 4.4).
    fn redirect_uri(&self, public_url: &str) -> String {
        format!("{public_url}/v1/auth/oauth/{}/callback", self.name())
    }

    /// Asks the provider what a sign-in would need of it, and tells what an operator should know.
    ///
    /// # Errors
    /// When a sign-in could not work.
    pub async fn check(&self, now: domain::Timestamp) -> Result<Vec<&'static str>, ProviderError> {
        let Protocol::OpenId(documents) = &self.protocol else {
            return Ok(vec!["Facebook says only at a sign-in whether id and secret are right"]);
        };
        let metadata = documents.metadata(&self.http, now).await?;
        documents.keys(&self.http, now).await?;
        let mut notes = Vec::new();
        if !metadata.checks_pkce {
            notes.push(
                "it does not say that it checks PKCE (S256); state and nonce protect a sign-in all the same",
            );
        }
        if !metadata.names_issuer {
            notes.push(
                "it does not name itself in its answers (RFC 9207); its own redirect address tells it apart",
            );
        }
        Ok(notes)
    }
}

/// A provider that could not be used, as whoever wants to sign in may know it.
fn unusable(provider: &Provider, error: ProviderError) -> Error {
    tracing::warn!(provider = provider.name(), %error, "a provider could not be used");
    Error::unavailable(
        "provider_unavailable",
        "this provider does not answer as it should; try again, or sign in another way",
        std::time::Duration::from_secs(30),
    )
    .because(error.to_string())
}
