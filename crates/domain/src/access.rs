//! What an access token says (RFC 9068 claims). `vault` signs and verifies it; this is the content alone.

use std::time::Duration;

use uuid::Uuid;

use crate::account::Roles;
use crate::refresh::Generation;
use crate::session::Proofs;
use crate::{AccountId, Random, SessionId, Timestamp};

/// How long an access token counts.
pub const ACCESS_LIFETIME: Duration = Duration::from_secs(600);

/// The `typ` of its header, compared exactly: no other kind of token has it.
pub const ACCESS_TYPE: &str = "at+jwt";

/// The claims of one access token. Times are whole seconds once they are written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AccessClaims {
    /// `iss`: the configured public address; `http://localhost` in `dev`, whatever the port.
    pub issuer: String,
    /// `aud`: whom the token is for; ours alone.
    pub audience: String,
    /// `sub`.
    pub account: AccountId,
    /// `iat`.
    pub issued_at: Timestamp,
    /// `exp`.
    pub expires_at: Timestamp,
    /// `jti`.
    pub id: Uuid,
    /// `sid`.
    pub session: SessionId,
    /// `gen`: the refresh generation it was issued with; its first use confirms that generation.
    pub generation: Generation,
    /// `scope`: the roles, names separated by spaces.
    pub roles: Roles,
    /// `auth_time`: when the person last proved who they are; a refresh does not move it.
    pub auth_time: Timestamp,
    /// `amr`: how.
    pub proofs: Proofs,
}

/// Who asks for a token: everything about it that does not follow from the moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AccessSubject {
    /// Whose token it is.
    pub account: AccountId,
    /// The session it belongs to.
    pub session: SessionId,
    /// The refresh generation it comes with.
    pub generation: Generation,
    /// What the account may do.
    pub roles: Roles,
    /// When the person last proved who they are.
    pub auth_time: Timestamp,
    /// How.
    pub proofs: Proofs,
}

impl AccessClaims {
    /// The claims of a token issued now that counts for ten minutes.
    pub fn issue(
        subject: AccessSubject,
        issuer: &str,
        audience: &str,
        random: &Random,
        now: Timestamp,
    ) -> Self {
        Self {
            issuer: issuer.to_owned(),
            audience: audience.to_owned(),
            account: subject.account,
            issued_at: now,
            expires_at: now.plus(ACCESS_LIFETIME),
            id: random.uuid(now),
            session: subject.session,
            generation: subject.generation,
            roles: subject.roles,
            auth_time: subject.auth_time,
            proofs: subject.proofs,
        }
    }
}
