//! What an app exchanges: the code that its browser brought, or an ID token that the system gave it.

use domain::{Error, Result};
use zeroize::Zeroizing;

use super::Protocol;
use super::arrival::Arrived;
use super::step::{Purpose, Stage, Step, Way};
use crate::App;
use crate::caller::{Caller, Client};

/// What the app brings.
pub enum Grant {
    Code { code: String, verifier: Zeroizing<String> },
    IdToken { id_token: String, nonce: String },
}

impl App {
    /// Takes what an app brings, once, and does what its way was for.
    pub async fn exchange_oauth(
        &self,
        caller: Option<&Caller>,
        client: &Client,
        provider: &str,
        grant: Grant,
    ) -> Result<Arrived> {
        let provider = self.providers.get(provider)?;
        self.limit_oauth(client)?;
        let (way, vouched) = match grant {
            Grant::Code { code, verifier } => match self.take_step(&code, provider.name()).await? {
                Some(Step { way, stage: Stage::Handed { challenge, vouched } })
                    if Self::fits(&challenge, &verifier) =>
                {
                    (way, vouched)
                }
                _ => return Err(invalid_grant()),
            },
            Grant::IdToken { id_token, nonce } => {
                let Protocol::OpenId(documents) = &provider.protocol else { return Err(invalid_grant()) };
                let step = self.take_step(&nonce, provider.name()).await?;
                let Some(Step { way, stage: Stage::Native }) = step else { return Err(invalid_grant()) };
                let settings = &provider.settings;
                let mut audiences = vec![&*settings.client.id];
                audiences.extend(settings.native_client_ids.iter().map(String::as_str));
                let vouched = self.vouch_by(provider, documents, &id_token, &audiences, &nonce, None).await?;
                (way, vouched)
            }
        };
        require_same_session(&way, caller)?;
        self.arrive(provider, &way, vouched, client).await
    }
}

/// Whoever links or steps up must hold the session in which that began: a code alone gives nobody a say in it.
fn require_same_session(way: &Way, caller: Option<&Caller>) -> Result<()> {
    let began = way.origin.map(|origin| (origin.account(), origin.session()));
    let holds = caller.map(|caller| (caller.account, caller.session));
    if way.purpose == Purpose::Login || (began.is_some() && began == holds) {
        return Ok(());
    }
    Err(invalid_grant())
}

fn invalid_grant() -> Error {
    Error::unauthenticated(
        "invalid_grant",
        "this code or nonce was used, is too old, or belongs to another app or session: begin again",
    )
}
