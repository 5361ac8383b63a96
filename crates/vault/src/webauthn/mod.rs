//! Passkeys: the relying party's half of WebAuthn (level 3), without attestation.
//!
//! We ask for no statement about the authenticator's make, so none is judged: what a new credential says of itself is
//! believed as far as it concerns its owner alone. What is checked at each use is the signature over what the
//! authenticator says and over the hash of what the browser says, and both of these in full.
//!
//! Challenges, accounts and counters are for whoever calls this: nothing here remembers anything.

mod authenticator_data;
mod cbor;
mod client_data;
mod key;

use aws_lc_rs::digest::{SHA256, digest};

use authenticator_data::AuthenticatorData;
use cbor::Value;
use client_data::{Ceremony, check};

pub use client_data::challenge_of;
pub use key::{ALGORITHMS, CredentialKey};

use crate::secret::equal;

/// Who we are to browsers and authenticators.
#[derive(Clone, Debug)]
pub struct RelyingParty {
    /// A domain; credentials are made for it and for no other.
    id: String,
    hash: [u8; 32],
    /// Where pages, or apps, of ours may run a ceremony.
    origins: Vec<String>,
}

/// Why a ceremony does not count. For logs: whoever tries is told nothing of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    Malformed,
    WrongType,
    WrongChallenge,
    WrongOrigin,
    CrossOrigin,
    WrongRelyingParty,
    NotPresent,
    NotVerified,
    UnknownAlgorithm,
    BadKey,
    BadSignature,
}

/// How sure the authenticator must be of who holds it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verification {
    /// A finger, a face or a PIN: the passkey is two factors in one.
    Required,
    /// A touch is enough: the passkey comes second, after a password.
    Any,
}

/// A credential that was just made.
#[derive(Clone, Debug)]
pub struct NewCredential {
    pub id: Vec<u8>,
    pub key: CredentialKey,
    pub counter: u32,
    /// Model of the authenticator; zeros when it does not say.
    pub model: [u8; 16],
    pub is_backed_up: bool,
}

/// What somebody shows to prove that they hold a credential.
#[derive(Clone, Debug)]
pub struct Assertion {
    pub client_data: Vec<u8>,
    pub authenticator_data: Vec<u8>,
    pub signature: Vec<u8>,
}

/// What a good assertion says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shown {
    /// Of signatures made so far; zero from authenticators that do not count.
    pub counter: u32,
    pub is_backed_up: bool,
}

impl RelyingParty {
    /// `origins` as browsers write them: scheme, host and a port that is not the scheme's own.
    pub fn new(id: impl Into<String>, origins: Vec<String>) -> Self {
        let id = id.into();
        let hash = sha256(id.as_bytes());
        Self { id, hash, origins }
    }

    pub fn id(&self) -> &str {
        &self.id
    }

    /// Reads a new credential (WebAuthn level 3, 7.1). Its authenticator must have verified the person, so that it can
    /// sign in alone later.
    pub fn read_new(
        &self,
        challenge: &[u8],
        client_data: &[u8],
        attestation: &[u8],
    ) -> Result<NewCredential, Refusal> {
        check(client_data, Ceremony::Create, challenge, &self.origins)?;
        let Some((object @ Value::Map(_), [])) = cbor::read(attestation) else {
            return Err(Refusal::Malformed);
        };
        let data =
            object.get(&Value::Text("authData")).and_then(Value::as_bytes).ok_or(Refusal::Malformed)?;
        let data = self.judge(data, Verification::Required)?;
        let (counter, is_backed_up) = (data.counter, data.is_backed_up());
        let credential = data.credential.ok_or(Refusal::Malformed)?;
        Ok(NewCredential {
            id: credential.id.to_vec(),
            key: credential.key,
            counter,
            model: credential.model,
            is_backed_up,
        })
    }

    /// Checks that the holder of `key` was there for this challenge, on a page of ours (WebAuthn level 3, 7.2).
    pub fn verify(
        &self,
        challenge: &[u8],
        key: &CredentialKey,
        assertion: &Assertion,
        verification: Verification,
    ) -> Result<Shown, Refusal> {
        check(&assertion.client_data, Ceremony::Get, challenge, &self.origins)?;
        let data = self.judge(&assertion.authenticator_data, verification)?;
        let signed = [&assertion.authenticator_data[..], &sha256(&assertion.client_data)].concat();
        key.verify(&signed, &assertion.signature)?;
        Ok(Shown { counter: data.counter, is_backed_up: data.is_backed_up() })
    }

    fn judge<'a>(
        &self,
        data: &'a [u8],
        verification: Verification,
    ) -> Result<AuthenticatorData<'a>, Refusal> {
        let data = AuthenticatorData::parse(data)?;
        if !equal(data.relying_party, &self.hash) {
            return Err(Refusal::WrongRelyingParty);
        }
        if !data.is_present() {
            return Err(Refusal::NotPresent);
        }
        if verification == Verification::Required && !data.is_verified() {
            return Err(Refusal::NotVerified);
        }
        Ok(data)
    }
}

fn sha256(bytes: &[u8]) -> [u8; 32] {
    digest(&SHA256, bytes).as_ref().first_chunk().copied().unwrap_or_default()
}

#[cfg(test)]
mod tests;
