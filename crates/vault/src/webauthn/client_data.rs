//! What the browser says of a ceremony: which kind, for which challenge, on which page. The authenticator signs its
//! hash, so nobody between page and authenticator can change it.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Deserialize;

use super::Refusal;
use crate::object;
use crate::secret::equal;

/// Making a passkey, or showing one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ceremony {
    Create,
    Get,
}

impl Ceremony {
    const fn kind(self) -> &'static str {
        match self {
            Self::Create => "webauthn.create",
            Self::Get => "webauthn.get",
        }
    }
}

/// Fields that we do not know are let pass: browsers add some on purpose, so that nobody compares texts.
#[derive(Deserialize)]
struct ClientData {
    #[serde(rename = "type")]
    kind: String,
    challenge: String,
    origin: String,
    #[serde(rename = "crossOrigin", default)]
    cross_origin: bool,
    #[serde(rename = "topOrigin", default)]
    top_origin: Option<String>,
}

/// Checks what the browser says (WebAuthn level 3, 7.1 steps 5 to 12, and 7.2 steps 9 to 16).
pub fn check(json: &[u8], ceremony: Ceremony, challenge: &[u8], origins: &[String]) -> Result<(), Refusal> {
    let said: ClientData = object::read(json).ok_or(Refusal::Malformed)?;
    if said.kind != ceremony.kind() {
        return Err(Refusal::WrongType);
    }
    let shown = URL_SAFE_NO_PAD.decode(&said.challenge).map_err(|_| Refusal::WrongChallenge)?;
    if !equal(&shown, challenge) {
        return Err(Refusal::WrongChallenge);
    }
    if !origins.contains(&said.origin) {
        return Err(Refusal::WrongOrigin);
    }
    // A frame of ours on somebody else's page: nobody has asked for that.
    if said.cross_origin || said.top_origin.is_some() {
        return Err(Refusal::CrossOrigin);
    }
    Ok(())
}

/// The challenge that the browser names, to find what it was drawn for. It proves nothing before [`check`].
pub fn challenge_of(json: &[u8]) -> Option<Vec<u8>> {
    let said: ClientData = object::read(json)?;
    URL_SAFE_NO_PAD.decode(&said.challenge).ok()
}
