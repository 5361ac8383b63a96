//! The browser is back from the provider. What it brings is believed only as far as the step says that we asked for it.

use std::time::Duration;

use domain::{Error, Result};
use upstream::openid::{self, CodeGrant};
use vault::Secret;
use vault::id_token::{self, Expected, Rejection};
use vault::jwks::Algorithm;
use vault::pkce::Challenge;
use vault::secret::SecretDigest;

use super::arrival::Arrived;
use super::documents::Documents;
use super::redirect_uri::with_answer;
use super::step::{Stage, Step, Target, Vouched, Way};
use super::{Protocol, Provider, ProviderKind, unusable};
use crate::App;
use crate::caller::Client;
use crate::identities::SealedIdentity;
use crate::second_factor::SecondStep;
use crate::sign_in::SignedIn;

/// How long an app may take to exchange the code that it was handed.
const HANDED_FOR: Duration = Duration::from_secs(60);
/// The longest code of a provider.
const LONGEST_CODE: usize = 4096;

/// What the provider sent along with the browser.
#[derive(Clone, Debug, Default)]
pub struct Answer {
    pub state: String,
    pub code: Option<String>,
    pub error: Option<String>,
    pub issuer: Option<String>,
}

/// Where the browser goes now.
pub enum Landing {
    /// To a page of ours.
    Web { return_to: String, outcome: Outcome },
    /// To an app.
    App { url: String },
}

/// What our own page is told.
pub enum Outcome {
    SignedIn(SignedIn),
    /// The account has a second factor, whatever the first one was.
    SecondStep(SecondStep),
    Linked,
    SteppedUp,
    Failed(&'static str),
}

impl App {
    /// Takes the browser's answer. Fails only when it is not known where the browser came from; whatever goes wrong
    /// afterwards is told where the way began.
    pub async fn oauth_callback(
        &self,
        client: &Client,
        provider: &str,
        cookie: Option<&str>,
        answer: Answer,
    ) -> Result<Landing> {
        let provider = self.providers.get(provider)?;
        self.limit_secrets(client)?;
        let step = self.take_step(&answer.state, provider.name()).await?;
        let Some(Step { way, stage: Stage::Away { target, verifier, nonce } }) = step else {
            return Err(unknown_state());
        };
        if let Target::Web { browser, .. } = &target {
            let held = cookie.and_then(Secret::parse).map(|secret| secret.digest());
            // Somebody else's way would sign this browser in to their account, or link their account to this person.
            if !held.is_some_and(|held| held.matches(&SecretDigest::from_bytes(*browser))) {
                return Err(unknown_state());
            }
        }
        let vouched = self.vouch(provider, answer, &verifier, &nonce).await;
        match target {
            Target::Web { return_to, .. } => {
                let arrived = match vouched {
                    Ok(vouched) => self.arrive(provider, &way, vouched, client).await,
                    Err(error) => Err(error),
                };
                Ok(Landing::Web { return_to, outcome: outcome(arrived)? })
            }
            Target::App { redirect_uri, challenge } => {
                let url = match vouched {
                    Ok(vouched) => {
                        let code = self.hand_over(way, challenge, vouched).await?;
                        with_answer(&redirect_uri, &[("code", code.as_str())])
                    }
                    Err(error) => with_answer(&redirect_uri, &[("error", told(error)?)]),
                };
                Ok(Landing::App { url })
            }
        }
    }

    async fn hand_over(
        &self,
        way: Way,
        challenge: String,
        vouched: Vouched,
    ) -> Result<zeroize::Zeroizing<String>> {
        let code = Secret::generate(&self.random);
        let step = Step { way, stage: Stage::Handed { challenge, vouched } };
        self.put_step(&code, &step, HANDED_FOR).await?;
        Ok(code.to_text())
    }

    /// Who the provider says this is.
    async fn vouch(
        &self,
        provider: &Provider,
        answer: Answer,
        verifier: &str,
        nonce: &str,
    ) -> Result<Vouched> {
        let now = self.now();
        if let Protocol::OpenId(documents) = &provider.protocol {
            let metadata = documents.metadata(&provider.http, now).await;
            let metadata = metadata.map_err(|error| unusable(provider, error))?;
            // An answer of another provider, or one that should say whose it is and does not (RFC 9207).
            let fits = match &answer.issuer {
                Some(issuer) => *issuer == metadata.issuer,
                None => !metadata.names_issuer,
            };
            if !fits {
                return Err(refused(provider, "the answer is of another issuer"));
            }
        }
        if let Some(error) = &answer.error {
            let code = if error == "access_denied" { "access_denied" } else { "provider_refused" };
            return Err(Error::forbidden(code, "the provider let nobody in"));
        }
        let code = answer.code.filter(|code| !code.is_empty() && code.len() <= LONGEST_CODE);
        let code = code.ok_or_else(|| refused(provider, "the answer has no code"))?;
        let redirect_uri = provider.redirect_uri(&self.settings.public_url);
        let grant = CodeGrant { code: &code, redirect_uri: &redirect_uri, verifier };
        match &provider.protocol {
            Protocol::OpenId(documents) => {
                let metadata = documents.metadata(&provider.http, now).await;
                let metadata = metadata.map_err(|error| unusable(provider, error))?;
                let client = &provider.settings.client;
                let tokens = openid::exchange(&provider.http, &metadata, client, &grant).await;
                let tokens = tokens.map_err(|error| {
                    if error.is_passing() { unusable(provider, error) } else { refused(provider, error) }
                })?;
                let access_token = tokens.access_token.as_deref();
                let audiences = [&*client.id];
                self.vouch_by(provider, documents, &tokens.id_token, &audiences, nonce, access_token).await
            }
            Protocol::Facebook { at, secret } => {
                let client = &provider.settings.client;
                let proof = |token: &str| secret.proof(token);
                let person = at.person(&provider.http, client, &grant, proof).await;
                let person = person.map_err(|error| {
                    if error.is_passing() { unusable(provider, error) } else { refused(provider, error) }
                })?;
                // Facebook does not say whether it has verified an address, so none is kept.
                let identity = SealedIdentity {
                    provider: provider.name().to_owned(),
                    issuer: provider.settings.issuer.clone(),
                    subject: person.id,
                    email: None,
                };
                Ok(Vouched { identity, auth_time: None })
            }
        }
    }

    /// Who an ID token says this is.
    pub(super) async fn vouch_by(
        &self,
        provider: &Provider,
        documents: &Documents,
        id_token: &str,
        audiences: &[&str],
        nonce: &str,
        access_token: Option<&str>,
    ) -> Result<Vouched> {
        let now = self.now();
        let usable = |error| unusable(provider, error);
        let metadata = documents.metadata(&provider.http, now).await.map_err(usable)?;
        let algorithms: Vec<_> =
            metadata.algorithms.iter().filter_map(|name| Algorithm::parse(name)).collect();
        let mut issuers = vec![&*metadata.issuer];
        if provider.settings.kind == ProviderKind::Google {
            // Google writes its name without the scheme in some tokens, and says so.
            issuers.extend(metadata.issuer.strip_prefix("https://"));
        }
        let expected =
            Expected { issuers: &issuers, audiences, algorithms: &algorithms, nonce, access_token };
        let keys = documents.keys(&provider.http, now).await.map_err(usable)?;
        let claims = match id_token::verify(&keys, id_token, &expected, now) {
            Err(Rejection::UnknownKey | Rejection::BadSignature) => {
                // The provider may have a new key since its keys were fetched, also under the name of the old one.
                let keys = documents.keys_again(&provider.http, now).await.map_err(usable)?;
                id_token::verify(&keys, id_token, &expected, now)
            }
            other => other,
        };
        let claims = claims.map_err(|rejection| refused(provider, format_args!("{rejection:?}")))?;
        let identity = SealedIdentity {
            provider: provider.name().to_owned(),
            issuer: claims.issuer,
            subject: claims.subject,
            email: claims.email,
        };
        Ok(Vouched { identity, auth_time: claims.auth_time })
    }

    /// Whether a verifier belongs to a stored challenge.
    pub(super) fn fits(challenge: &str, verifier: &str) -> bool {
        Challenge::parse(challenge).is_some_and(|challenge| challenge.matches(verifier))
    }
}

fn outcome(arrived: Result<Arrived>) -> Result<Outcome> {
    Ok(match arrived {
        Ok(Arrived::SignedIn(SignedIn::SecondStep(step))) => Outcome::SecondStep(step),
        Ok(Arrived::SignedIn(signed_in)) => Outcome::SignedIn(signed_in),
        Ok(Arrived::Linked) => Outcome::Linked,
        Ok(Arrived::SteppedUp(_)) => Outcome::SteppedUp,
        Err(error) => Outcome::Failed(told(error)?),
    })
}

/// The code of an error that the place where the way began is told; others are our own trouble.
fn told(error: Error) -> Result<&'static str> {
    match error {
        Error::Forbidden { code, .. }
        | Error::Conflict { code, .. }
        | Error::Unauthenticated { code, .. }
        | Error::Limited { code, .. }
        | Error::Unavailable { code, .. } => Ok(code),
        other => Err(other),
    }
}

/// What the provider said does not count. Why is for the log alone.
pub(super) fn refused(provider: &Provider, why: impl std::fmt::Display) -> Error {
    tracing::warn!(provider = provider.name(), %why, "what a provider said does not count");
    Error::forbidden("provider_answer_refused", "what the provider said does not count")
}

fn unknown_state() -> Error {
    Error::forbidden(
        "unknown_state",
        "this sign-in was not begun in this browser, was used, or took longer than ten minutes: begin again",
    )
}
