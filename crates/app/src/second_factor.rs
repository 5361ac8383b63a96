//! The second step of signing in: what an account with a second factor is asked for, whatever the first was.

use std::fmt;
use std::time::Duration;

use domain::account::Roles;
use domain::email::Email;
use domain::session::{Proof, Proofs};
use domain::{AccountId, Error, Invalid, Result, Timestamp};
use store::{Tx, accounts, challenges, passkeys, recovery_codes};
use vault::Secret;
use vault::recovery_code::RecoveryCode;
use vault::totp::TotpCode;
use vault::webauthn::Verification;
use zeroize::Zeroizing;

use crate::App;
use crate::audit::{Entry, Event, NetworkTag};
use crate::caller::{Caller, Client};
use crate::challenges::Purpose;
use crate::factors::{Factors, not_six_digits};
use crate::mail::{self, Notice};
use crate::passkeys::{RequestOptions, ShownPasskey, Verified, hints};
use crate::sign_in::{Beginning, Begun, SignedIn};

/// Wrong answers to one challenge.
const MOST_TRIES: i64 = 10;

/// What is asked for after a first factor.
pub struct SecondStep {
    pub challenge: Zeroizing<String>,
    pub expires_in: Duration,
    /// What will do, any one of them.
    pub factors: Vec<Proof>,
    /// How to ask a browser for a passkey, for an account that has some. Its challenge is this one.
    pub passkey: Option<RequestOptions>,
}

impl fmt::Debug for SecondStep {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("SecondStep").field("factors", &self.factors).finish_non_exhaustive()
    }
}

/// What somebody answers.
pub enum SecondFactor {
    /// Of an authenticator app.
    Code(String),
    RecoveryCode(String),
    Passkey(ShownPasskey),
}

/// What a right first factor leads to.
pub(crate) enum Passed {
    In(Box<Begun>),
    SecondStep(SecondStep),
}

/// An answer that can be looked at.
enum Answer {
    Code(TotpCode),
    RecoveryCode(RecoveryCode),
    Passkey(Option<Verified>),
}

impl App {
    /// Every first factor ends here: a session begins, or the account's second factor is asked for. There is no other
    /// way from a password or a provider to a session.
    pub(crate) async fn pass_first_factor(
        &self,
        tx: &mut Tx,
        beginning: &Beginning,
        now: Timestamp,
    ) -> store::Result<Passed> {
        let account = beginning.account;
        let factors = Factors::of(tx, account).await?;
        if !factors.are_there() || beginning.proofs.second_factor() {
            return Ok(Passed::In(Box::new(self.begin_session(tx, beginning, now).await?)));
        }
        let purpose = Purpose::second_factor(beginning.origin.kind, beginning.proofs, beginning.adoptable);
        let challenge = self.draw_challenge(tx, account, &purpose, now).await?;
        let stored = passkeys::of_account(tx, account).await?;
        let passkey = if stored.is_empty() {
            None
        } else {
            let wrapped = accounts::data_key(tx, account).await?.ok_or_else(expired)?;
            Some(RequestOptions {
                challenge: challenge.text.clone(),
                timeout: challenge.expires_in,
                relying_party: self.relying_party.id().to_owned(),
                allow: hints(&self.data_keys.open(account, &wrapped)?, account, &stored)?,
                verified: false,
            })
        };
        Ok(Passed::SecondStep(SecondStep {
            challenge: challenge.text,
            expires_in: challenge.expires_in,
            factors: factors.proofs(),
            passkey,
        }))
    }

    /// What the client of a right first factor is handed.
    pub(crate) fn passed(&self, passed: Passed, now: Timestamp) -> Result<SignedIn> {
        match passed {
            Passed::In(begun) => self.signed_in(*begun, now),
            Passed::SecondStep(step) => Ok(SignedIn::SecondStep(step)),
        }
    }

    /// Signs in with a second factor. The challenge is good for one right answer, at whichever node, and for a few
    /// wrong ones.
    pub async fn answer_second_step(
        &self,
        caller: Option<&Caller>,
        client: &Client,
        challenge: &str,
        shown: SecondFactor,
    ) -> Result<SignedIn> {
        let secret = Secret::parse(challenge).ok_or_else(expired)?;
        let hash = *secret.digest().as_bytes();
        let now = self.now();
        let answer = match shown {
            SecondFactor::Code(code) => Answer::Code(TotpCode::parse(&code).ok_or_else(not_six_digits)?),
            SecondFactor::RecoveryCode(code) => {
                let malformed = "must be one of the recovery codes, 26 letters and digits";
                let code = RecoveryCode::parse(&code);
                Answer::RecoveryCode(
                    code.ok_or_else(|| Invalid::new("/recovery_code", "malformed", malformed))?,
                )
            }
            SecondFactor::Passkey(shown) => {
                Answer::Passkey(self.verify_passkey(&shown, &secret, Verification::Any).await?)
            }
        };
        let origin = self.origin(client);
        // The first step may have been taken before the browser had an account, or without its cookie.
        let behind = self.anonymous_account(caller).await?;
        let app = self.clone();
        // A wrong answer must count although the caller gets an error, so the outcome travels in an `Ok`.
        let begun = self
            .store
            .write(async move |tx| {
                let Some(drawn) = challenges::get(tx, &hash, now).await? else {
                    return Err(expired().into());
                };
                let Purpose::SecondFactor { kind, proofs, adoptable } = Purpose::decode(&drawn.state)? else {
                    return Err(expired().into());
                };
                if kind != origin.kind.into() {
                    return Err(expired().into());
                }
                let stored = accounts::lock(tx, drawn.account).await?.ok_or_else(expired)?;
                // Another answer may have been right meanwhile.
                let tries = challenges::try_once(tx, &hash).await?.ok_or_else(expired)?;
                let proof = app.judge(tx, &stored, (&answer, origin.network), now).await?;
                if proof.is_some() || tries >= MOST_TRIES {
                    challenges::take(tx, &hash, now).await?;
                }
                let Some(proof) = proof else { return Ok(Err(stored.id)) };
                accounts::touch(tx, stored.id, now).await?;
                if proof == Proof::RecoveryCode {
                    let entry = Entry::of(stored.id, Event::RecoveryCodeUsed, now);
                    app.audit(tx, &entry.network(Some(origin.network))).await?;
                    mail::queue(tx, &app.notice_to(&stored, &Notice::RecoveryCodeUsed)?).await?;
                }
                let beginning = Beginning {
                    account: stored.id,
                    anonymous: false,
                    roles: Roles::parse(&stored.roles),
                    proofs: Proofs::parse(&proofs).with(proof),
                    origin: origin.clone(),
                    adoptable: adoptable.map(AccountId::from_uuid).or(behind),
                };
                let address = app.address(&stored)?;
                Ok(Ok((app.begin_session(tx, &beginning, now).await?, address)))
            })
            .await?;
        let (begun, address) = begun.map_err(|account| {
            // Whoever guesses here has the password already, which its owner's operator wants to know.
            let entry = Entry::of(account, Event::SecondFactorFailed, now);
            self.count_in_audit(&entry.network(Some(self.network_tag(client.network))));
            wrong()
        })?;
        let signed_in = self.signed_in(begun, now)?;
        match address {
            Some((email, _)) => Ok(self.remember_device(signed_in, &Email::parse(&email)?, client, now)),
            None => Ok(signed_in),
        }
    }

    /// Whether the answer is right for this locked account. What is good once is taken by it.
    async fn judge(
        &self,
        tx: &mut Tx,
        stored: &accounts::Stored,
        (answer, network): (&Answer, NetworkTag),
        now: Timestamp,
    ) -> store::Result<Option<Proof>> {
        let account = stored.id;
        let (proof, is_right) = match answer {
            Answer::Code(code) => {
                let key = self.data_keys.open(account, &stored.data_key)?;
                (Proof::Totp, self.take_code(tx, account, &key, code, now).await?)
            }
            Answer::RecoveryCode(code) => {
                let hash = code.digest(account);
                (Proof::RecoveryCode, recovery_codes::take(tx, account, hash.as_bytes()).await?)
            }
            Answer::Passkey(verified) => {
                let of_account = verified.filter(|verified| verified.account == account);
                let is_right = match of_account {
                    Some(verified) => self.note_passkey(tx, verified, Some(network), now).await?,
                    None => false,
                };
                (Proof::Passkey, is_right)
            }
        };
        Ok(is_right.then_some(proof))
    }
}

fn expired() -> Error {
    Error::unauthenticated("challenge_expired", "this challenge is too old, or was answered; sign in again")
}

fn wrong() -> Error {
    Error::unauthenticated("wrong_factor", "this is not a factor of the account, or was used already")
}
