//! Challenges: what somebody must answer within minutes to go on, at whichever node, and once.

use std::time::Duration;

use domain::session::{Proofs, SessionKind};
use domain::{AccountId, Error, Result, SessionId, Timestamp};
use serde::{Deserialize, Serialize};
use store::{Tx, challenges};
use uuid::Uuid;
use vault::Secret;
use zeroize::Zeroizing;

use crate::App;

/// How long a challenge is good.
pub const CHALLENGE_LIFETIME: Duration = Duration::from_secs(5 * 60);

/// A challenge that was kept, for whoever is to answer it.
pub struct Challenge {
    pub text: Zeroizing<String>,
    pub expires_in: Duration,
}

/// What a challenge was drawn for. It is good for nothing else.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "for", rename_all = "snake_case")]
pub(crate) enum Purpose {
    /// A first factor was right; a second one is missing.
    SecondFactor { kind: Kind, proofs: String, adoptable: Option<Uuid> },
    /// Somebody wants to sign in with a passkey, and has not said yet who they are.
    SignIn { kind: Kind },
    /// A session wants to prove anew who holds it, with a passkey.
    StepUp { session: Uuid },
    /// A session wants to add a passkey.
    AddPasskey { session: Uuid },
}

/// What the answer leads to: a challenge drawn by our page is no good for tokens, nor the other way round.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Kind {
    Bearer,
    Cookie,
}

impl From<SessionKind> for Kind {
    fn from(kind: SessionKind) -> Self {
        match kind {
            SessionKind::Bearer => Self::Bearer,
            SessionKind::Cookie => Self::Cookie,
        }
    }
}

impl Purpose {
    pub fn second_factor(kind: SessionKind, proofs: Proofs, adoptable: Option<AccountId>) -> Self {
        Self::SecondFactor {
            kind: kind.into(),
            proofs: proofs.to_string(),
            adoptable: adoptable.map(AccountId::uuid),
        }
    }

    pub fn decode(state: &[u8]) -> Result<Self> {
        serde_json::from_slice(state).map_err(|_| Error::internal("a stored challenge does not parse"))
    }
}

/// Nobody yet.
pub(crate) const NOBODY: AccountId = AccountId::from_uuid(Uuid::nil());

impl App {
    /// Keeps a new challenge.
    pub(crate) async fn draw_challenge(
        &self,
        tx: &mut Tx,
        account: AccountId,
        purpose: &Purpose,
        now: Timestamp,
    ) -> store::Result<Challenge> {
        let secret = Secret::generate(&self.random);
        let state = serde_json::to_vec(purpose).map_err(Error::internal)?;
        let challenge = challenges::Challenge { account, state };
        let until = now.plus(CHALLENGE_LIFETIME);
        challenges::draw(tx, secret.digest().as_bytes(), &challenge, until, now).await?;
        Ok(Challenge { text: secret.to_text(), expires_in: CHALLENGE_LIFETIME })
    }

    /// Takes a challenge that the session drew for this purpose. Of all that answer at once, on any node, one goes on.
    pub(crate) async fn take_challenge(
        &self,
        secret: &Secret,
        now: Timestamp,
    ) -> Result<Option<(AccountId, Purpose)>> {
        let hash = *secret.digest().as_bytes();
        let taken = self.store.write(async move |tx| challenges::take(tx, &hash, now).await).await?;
        taken.map(|taken| Ok((taken.account, Purpose::decode(&taken.state)?))).transpose()
    }
}

/// Whether a session of this account drew it.
pub(crate) fn is_of(drawn_by: Uuid, session: SessionId) -> bool {
    drawn_by == session.uuid()
}
