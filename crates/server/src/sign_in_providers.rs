//! The providers through which people sign in, from the configuration to what `app` works with.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use app::oauth::{ProviderKind, ProviderSettings, Providers, RedirectUri};
use domain::identity::ProviderName;
use domain::{Error, Result};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use upstream::address::AllowedHosts;
use upstream::http::{Http, HttpSettings};
use upstream::openid::{self, Client};
use zeroize::Zeroizing;

/// From a question to the last byte of its answer. Somebody sits before it and waits.
const PATIENCE: Duration = Duration::from_secs(5);

/// A provider: Google, Facebook, or any that speaks OpenID Connect.
#[derive(Clone, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct SignInProvider {
    /// `oidc`, `google` or `facebook`.
    pub kind: String,
    /// What people know it by; its name here when left out.
    pub label: Option<String>,
    /// The provider's name of itself, `https://id.example.org`; known for Google and Facebook.
    pub issuer: Option<String>,
    /// Facebook only: where its Graph is, when it is not the public one.
    pub graph_url: Option<String>,
    /// Our id there.
    pub client_id: String,
    /// Never written to logs. A client without one proves itself by PKCE alone.
    pub client_secret: Option<String>,
    /// A file that holds it.
    pub client_secret_file: Option<PathBuf>,
    /// Our ids in native apps, whose ID tokens may be for them.
    pub native_client_ids: Vec<String>,
    /// What to ask for; `["openid", "email"]` when left out, and for Facebook nothing.
    pub scopes: Option<Vec<String>>,
    /// Where apps may have a browser sent back to: `["org.example.app:/callback"]`.
    pub app_redirect_uris: Vec<String>,
}

impl std::fmt::Debug for SignInProvider {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("SignInProvider").field("client_id", &self.client_id).finish_non_exhaustive()
    }
}

impl Default for SignInProvider {
    fn default() -> Self {
        Self {
            kind: String::from("oidc"),
            label: None,
            issuer: None,
            graph_url: None,
            client_id: String::new(),
            client_secret: None,
            client_secret_file: None,
            native_client_ids: Vec::new(),
            scopes: None,
            app_redirect_uris: Vec::new(),
        }
    }
}

/// All of them, by the names that stand in our paths.
pub type SignInProviders = BTreeMap<String, SignInProvider>;

/// What `app` works with.
///
/// # Errors
/// With the key that does not fit, for whoever wrote it.
pub fn providers(configured: &SignInProviders) -> Result<Providers> {
    let all =
        configured.iter().map(|(name, provider)| provider.settings(name)).collect::<Result<Vec<_>>>()?;
    // A host that the operator named may be a private one: their own provider.
    let named = configured.values().flat_map(|provider| [&provider.issuer, &provider.graph_url]).flatten();
    let hosts = named.filter_map(|url| openid::address(url).ok()?.host_str().map(str::to_owned));
    let allowed = AllowedHosts::from_iter(hosts.collect::<Vec<_>>());
    // A code is taken once, so a request that may have been read cannot be sent again: it never meets a connection
    // that the provider is about to close.
    let settings = HttpSettings { timeout: PATIENCE, keep_alive: None, allowed, ..HttpSettings::default() };
    let http = Http::new(settings);
    Providers::new(&http, all)
}

impl SignInProvider {
    fn settings(&self, name: &str) -> Result<ProviderSettings> {
        let wrong = |key: &str, rule: &str| Error::internal(format!("providers.{name}.{key}: {rule}"));
        let provider_name = ProviderName::parse(name).ok_or_else(|| {
            Error::internal(format!("providers.{name}: a name has 1 to 32 of a-z, 0-9 and -"))
        })?;
        let (kind, issuer, scopes) = match &*self.kind {
            "oidc" => (ProviderKind::OpenId, None, &["openid", "email"][..]),
            "google" => (ProviderKind::Google, Some("https://accounts.google.com"), &["openid", "email"][..]),
            "facebook" => (ProviderKind::Facebook, Some("https://www.facebook.com"), &[][..]),
            _ => return Err(wrong("kind", "must be oidc, google or facebook")),
        };
        let issuer = self.issuer.as_deref().or(issuer).ok_or_else(|| wrong("issuer", "is missing"))?;
        if self.client_id.is_empty() {
            return Err(wrong("client_id", "is missing"));
        }
        let scopes = match &self.scopes {
            Some(scopes) => scopes.clone(),
            None => scopes.iter().map(ToString::to_string).collect(),
        };
        if kind != ProviderKind::Facebook && !scopes.iter().any(|scope| scope == "openid") {
            return Err(wrong("scopes", "must name openid: without it there is no ID token"));
        }
        let uris = self.app_redirect_uris.iter().map(|uri| RedirectUri::parse(uri));
        Ok(ProviderSettings {
            name: provider_name,
            label: self.label.clone().unwrap_or_else(|| name.to_owned()),
            kind,
            issuer: issuer.to_owned(),
            graph_url: self.graph_url.clone().unwrap_or_else(|| String::from("https://graph.facebook.com")),
            client: Client { id: self.client_id.clone(), secret: self.secret(name)? },
            native_client_ids: self.native_client_ids.clone(),
            scopes,
            app_redirect_uris: uris
                .collect::<Result<_>>()
                .map_err(|error| Error::internal(format!("providers.{name}.{error}")))?,
        })
    }

    fn secret(&self, name: &str) -> Result<Option<Zeroizing<String>>> {
        let Some(file) = &self.client_secret_file else {
            return Ok(self.client_secret.clone().map(Zeroizing::new));
        };
        if self.client_secret.is_some() {
            return Err(Error::internal(format!(
                "providers.{name}: give client_secret or client_secret_file, not both"
            )));
        }
        let text = std::fs::read_to_string(file).map(Zeroizing::new).map_err(|error| {
            Error::internal(format!("providers.{name}.client_secret_file: {}: {error}", file.display()))
        })?;
        Ok(Some(Zeroizing::new(text.trim().to_owned())))
    }

    /// Whether it is reached without encryption, on this machine: to try things out.
    pub fn is_plain(&self) -> bool {
        let urls = [&self.issuer, &self.graph_url];
        urls.into_iter().flatten().any(|url| !url.to_ascii_lowercase().starts_with("https://"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(provider: SignInProvider) -> String {
        let configured = SignInProviders::from([(String::from("x"), provider)]);
        match providers(&configured) {
            Err(error) => error.to_string(),
            Ok(_) => panic!("taken"),
        }
    }

    #[test]
    fn what_does_not_fit_is_named() {
        let sound = SignInProvider {
            issuer: Some(String::from("https://id.example")),
            client_id: String::from("we"),
            ..SignInProvider::default()
        };
        assert!(providers(&SignInProviders::from([(String::from("x"), sound.clone())])).is_ok());
        for (key, wrong) in [
            ("kind", SignInProvider { kind: String::from("saml"), ..sound.clone() }),
            ("issuer", SignInProvider { issuer: None, ..sound.clone() }),
            ("issuer", SignInProvider { issuer: Some(String::from("http://id.example")), ..sound.clone() }),
            ("client_id", SignInProvider { client_id: String::new(), ..sound.clone() }),
            ("scopes", SignInProvider { scopes: Some(vec![String::from("email")]), ..sound.clone() }),
            (
                "app_redirect_uris",
                SignInProvider { app_redirect_uris: vec![String::from("app:/")], ..sound.clone() },
            ),
            (
                "client_secret_file",
                SignInProvider { client_secret_file: Some("/nowhere".into()), ..sound.clone() },
            ),
            ("client_secret", SignInProvider { kind: String::from("facebook"), ..sound.clone() }),
        ] {
            let text = refusal(wrong);
            assert!(text.contains("providers.x") && text.contains(key), "{text}");
        }
        let named = SignInProviders::from([(String::from("Big Corp"), sound)]);
        assert!(providers(&named).is_err());
    }
}
