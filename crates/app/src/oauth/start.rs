//! Beginning a way through a provider.

use domain::oauth_cookie::OAUTH_LIFETIME;
use domain::return_path::ReturnPath;
use domain::{Error, Invalid, Result};
use store::accounts;
use upstream::openid::Authorization;
use vault::Secret;
use vault::pkce::Challenge;
use zeroize::Zeroizing;

use super::step::{Origin, Purpose, Stage, Step, Target, Way};
use super::{Protocol, Provider, unusable};
use crate::App;
use crate::caller::{Caller, Client, account_is_gone};

/// What a client wants.
#[derive(Clone, Debug, Default)]
pub struct StartRequest {
    /// `login` when it is left out.
    pub purpose: Option<Purpose>,
    /// Of our own page: where to go at the end.
    pub return_to: Option<String>,
    /// Of an app: where to send its browser back to.
    pub redirect_uri: Option<String>,
    /// Of an app: S256 of a verifier that it keeps.
    pub code_challenge: Option<String>,
    /// The app asks the provider itself, through the system, and brings an ID token.
    pub native: bool,
}

/// What the client does next.
pub enum Started {
    /// Send the browser there; our own page's browser keeps this cookie.
    Away { url: String, cookie: Option<Zeroizing<String>> },
    /// Have the provider put this nonce into an ID token.
    Native { nonce: Zeroizing<String> },
}

impl App {
    /// Begins a way through a provider. What it is for is settled here: the callback can change none of it.
    pub async fn start_oauth(
        &self,
        caller: Option<&Caller>,
        client: &Client,
        provider: &str,
        request: StartRequest,
    ) -> Result<Started> {
        let provider = self.providers.get(provider)?;
        self.limit_oauth(client)?;
        let purpose = request.purpose.unwrap_or(Purpose::Login);
        let origin = self.origin_of(caller, client, purpose, provider).await?;
        let way = Way { provider: provider.name().to_owned(), purpose, origin, began: self.now() };
        if request.native {
            return self.start_native(provider, way, &request).await;
        }
        let cookie = client.web.then(|| Secret::generate(&self.random));
        let target = target(provider, cookie.as_ref(), request)?;
        let [state, verifier, nonce] = std::array::from_fn(|_| Secret::generate(&self.random));
        let (verifier, nonce, state_text) = (verifier.to_text(), nonce.to_text(), state.to_text());
        let authorization = Authorization {
            client_id: &provider.settings.client.id,
            redirect_uri: &provider.redirect_uri(&self.settings.public_url),
            scopes: &provider.settings.scopes.join(" "),
            state: &state_text,
            nonce: &nonce,
            challenge: &Challenge::of(&verifier).to_string(),
            is_fresh: purpose == Purpose::StepUp,
        };
        let url = match &provider.protocol {
            Protocol::OpenId(documents) => {
                let metadata = documents.metadata(&provider.http, self.now()).await;
                let metadata = metadata.map_err(|error| unusable(provider, error))?;
                authorization.url(&metadata.authorization_endpoint)
            }
            Protocol::Facebook { at, .. } => at.authorization_url(&authorization),
        };
        let stage = Stage::Away { target, verifier: verifier.to_string(), nonce: nonce.to_string() };
        self.put_step(&state, &Step { way, stage }, OAUTH_LIFETIME).await?;
        Ok(Started::Away { url, cookie: cookie.map(|secret| secret.to_text()) })
    }

    async fn start_native(&self, provider: &Provider, way: Way, request: &StartRequest) -> Result<Started> {
        if let Protocol::Facebook { .. } = provider.protocol {
            let detail = "this provider gives apps no ID token that could be checked; start without native";
            return Err(Error::conflict("native_unsupported", detail));
        }
        let fields = [
            ("/return_to", request.return_to.is_some()),
            ("/redirect_uri", request.redirect_uri.is_some()),
            ("/code_challenge", request.code_challenge.is_some()),
        ];
        if let Some((pointer, _)) = fields.into_iter().find(|(_, is_there)| *is_there) {
            return Err(Invalid::new(pointer, "forbidden", "no browser is sent anywhere with native").into());
        }
        let nonce = Secret::generate(&self.random);
        self.put_step(&nonce, &Step { way, stage: Stage::Native }, OAUTH_LIFETIME).await?;
        Ok(Started::Native { nonce: nonce.to_text() })
    }

    /// The session that a way begins in, after a look at whether it may.
    async fn origin_of(
        &self,
        caller: Option<&Caller>,
        client: &Client,
        purpose: Purpose,
        provider: &Provider,
    ) -> Result<Option<Origin>> {
        let origin = caller.map(|caller| Origin::new(caller.account, caller.session, client.web));
        if purpose == Purpose::Login {
            return Ok(origin);
        }
        let Some(caller) = caller else {
            let detail = "this needs an access token (Authorization: Bearer …) or the web app's session";
            return Err(Error::unauthenticated("credential_required", detail));
        };
        let account = caller.account;
        let stored = self.store.read(async move |db| accounts::get(db, account).await).await?;
        if stored.ok_or_else(account_is_gone)?.is_anonymous() {
            let detail = "an anonymous account gets its first way in with the purpose login";
            return Err(Error::conflict("anonymous_account", detail));
        }
        match purpose {
            Purpose::StepUp if !provider.settings.kind.can_step_up() => {
                let detail = "this provider does not say when somebody last showed who they are";
                Err(Error::conflict("step_up_unsupported", detail))
            }
            Purpose::Link => {
                self.require_step_up(caller).await?;
                Ok(origin)
            }
            _ => Ok(origin),
        }
    }
}

/// Where the browser goes when it is back: for our own page a path of ours, for an app a registered address.
fn target(provider: &Provider, cookie: Option<&Secret>, request: StartRequest) -> Result<Target> {
    let StartRequest { return_to, redirect_uri, code_challenge, .. } = request;
    let forbidden = |pointer, detail| Err(Invalid::new(pointer, "forbidden", detail).into());
    if let Some(cookie) = cookie {
        if redirect_uri.is_some() || code_challenge.is_some() {
            return forbidden("/redirect_uri", "the web app comes back to a path of its own (return_to)");
        }
        let path = return_to.map_or_else(|| Ok(ReturnPath::home()), |path| ReturnPath::parse(&path))?;
        let browser = *cookie.digest().as_bytes();
        return Ok(Target::Web { browser, return_to: path.as_str().to_owned() });
    }
    if return_to.is_some() {
        return forbidden("/return_to", "an app comes back to a registered address (redirect_uri)");
    }
    let required =
        |pointer| Invalid::new(pointer, "required", "an app must say where its browser comes back to");
    let redirect_uri = redirect_uri.ok_or_else(|| required("/redirect_uri"))?;
    let challenge = code_challenge.ok_or_else(|| required("/code_challenge"))?;
    if !provider.settings.app_redirect_uris.iter().any(|registered| registered.allows(&redirect_uri)) {
        let detail = "must be one that the operator registered for this provider, to the letter";
        return Err(Invalid::new("/redirect_uri", "unknown", detail).into());
    }
    let sound = Challenge::parse(&challenge);
    let detail = "must be the SHA-256 of a code verifier, in base64url without padding (S256)";
    let challenge = sound.ok_or_else(|| Invalid::new("/code_challenge", "malformed", detail))?.to_string();
    Ok(Target::App { redirect_uri, challenge })
}
