//! Access tokens: JWTs signed with ES256 in the compact form, and nothing else (RFC 8725, RFC 9068).
//!
//! A token's header is compared, as text, with the few headers that our own keys write. So there is no
//! algorithm to confuse, no `typ` to vary, no `kid` to inject into a look-up, and no `jwk`, `jku`, `x5u`,
//! `x5c` or `crit` to be tempted by: any header that differs in one byte belongs to none of our keys.
//! Only after the signature is the content read.

use std::borrow::Cow;
use std::fmt;
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use domain::access::{ACCESS_LIFETIME, AccessClaims};
use domain::account::Roles;
use domain::refresh::Generation;
use domain::session::{Proof, Proofs};
use domain::{AccountId, Error, Result, SessionId, Timestamp};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::object;
use crate::signing::KeySet;

/// The longest token that is looked at, in bytes.
pub const LONGEST: usize = 4096;
/// How long an expired token still counts, for a clock that is a little ahead of the one that issued it.
pub const LEEWAY: Duration = Duration::from_secs(10);
/// How far ahead of ours the clock may be that issued a token. Only we sign, so a time that is still to come says that
/// a node's clock is wrong and nothing of who sent the token: refusing it would shut out the people of that node
/// everywhere else. Its end is as strict as ever.
pub const AHEAD: Duration = Duration::from_mins(5);

/// Why a token does not count. The caller is told `invalid_token` and no more; this is for the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Rejection {
    /// Longer than 4 KiB.
    TooLong,
    /// Not three parts of base64url without padding, separated by dots.
    NotCompact,
    /// No key of ours writes this header.
    UnknownHeader,
    /// The signature is not by the key that the header names.
    BadSignature,
    /// Signed by us, but not the claims of an access token.
    BadClaims,
    /// Its `iss` is not ours.
    WrongIssuer,
    /// Its `aud` is not ours.
    WrongAudience,
    /// Its `exp` has passed.
    Expired,
    /// Issued, or valid, only in the future.
    NotYet,
}

impl fmt::Display for Rejection {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::TooLong => "the access token is too long",
            Self::NotCompact => "the access token is not a compact JWT",
            Self::UnknownHeader => "no key of ours writes the header of this access token",
            Self::BadSignature => "the signature of the access token is wrong",
            Self::BadClaims => "the claims of the access token are malformed",
            Self::WrongIssuer => "the access token is from another issuer",
            Self::WrongAudience => "the access token is for another audience",
            Self::Expired => "the access token has expired",
            Self::NotYet => "the access token is not valid yet",
        })
    }
}

impl From<Rejection> for Error {
    fn from(_: Rejection) -> Self {
        Self::unauthenticated("invalid_token", "the access token does not count")
    }
}

/// The claims as they are written. Unknown members are skipped, so that a newer node may add one during an
/// upgrade; a member that appears twice is an error.
#[derive(Serialize, Deserialize)]
struct Wire<'a> {
    #[serde(borrow)]
    iss: Cow<'a, str>,
    #[serde(borrow)]
    aud: Cow<'a, str>,
    sub: Uuid,
    iat: i64,
    exp: i64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    nbf: Option<i64>,
    jti: Uuid,
    sid: Uuid,
    r#gen: u64,
    #[serde(borrow)]
    scope: Cow<'a, str>,
    auth_time: i64,
    amr: Vec<Cow<'a, str>>,
}

/// Signs the claims with the active key of the set.
pub fn issue(keys: &KeySet, claims: &AccessClaims) -> Result<String> {
    let scope = claims.roles.to_string();
    let wire = Wire {
        iss: Cow::Borrowed(&claims.issuer),
        aud: Cow::Borrowed(&claims.audience),
        sub: claims.account.uuid(),
        iat: claims.issued_at.seconds(),
        exp: claims.expires_at.seconds(),
        nbf: None,
        jti: claims.id,
        sid: claims.session.uuid(),
        r#gen: claims.generation.number(),
        scope: Cow::Borrowed(&scope),
        auth_time: claims.auth_time.seconds(),
        amr: claims.proofs.iter().map(|proof| Cow::Borrowed(proof.name())).collect(),
    };
    let payload = serde_json::to_vec(&wire)
        .map_err(|error| Error::internal(format_args!("the claims could not be written: {error}")))?;
    let key = keys.active()?;
    let mut token = String::with_capacity(key.header().len() + payload.len() * 4 / 3 + 96);
    token.push_str(key.header());
    token.push('.');
    URL_SAFE_NO_PAD.encode_string(&payload, &mut token);
    let signature = key.sign(token.as_bytes())?;
    token.push('.');
    URL_SAFE_NO_PAD.encode_string(signature.as_ref(), &mut token);
    Ok(token)
}

/// The claims of a token that counts at `now`: signed by a key of the set, from `issuer`, for `audience`,
/// not expired, with [`LEEWAY`], and issued by a clock that is not further ahead than [`AHEAD`].
pub fn verify(
    keys: &KeySet,
    token: &str,
    issuer: &str,
    audience: &str,
    now: Timestamp,
) -> Result<AccessClaims, Rejection> {
    if token.len() > LONGEST {
        return Err(Rejection::TooLong);
    }
    let (message, signature) = token.rsplit_once('.').ok_or(Rejection::NotCompact)?;
    let (header, payload) = message.split_once('.').ok_or(Rejection::NotCompact)?;
    let key = keys.by_header(header).ok_or(Rejection::UnknownHeader)?;

    let mut bytes = [0; 64];
    match URL_SAFE_NO_PAD.decode_slice(signature, &mut bytes) {
        Ok(64) => {}
        _ => return Err(Rejection::NotCompact),
    }
    let payload_bytes = URL_SAFE_NO_PAD.decode(payload).map_err(|_| Rejection::NotCompact)?;
    if !key.verifies(message.as_bytes(), &bytes) {
        return Err(Rejection::BadSignature);
    }

    let wire: Wire<'_> = object::read(&payload_bytes).ok_or(Rejection::BadClaims)?;
    if wire.iss != issuer {
        return Err(Rejection::WrongIssuer);
    }
    if wire.aud != audience {
        return Err(Rejection::WrongAudience);
    }
    let latest = now.plus(AHEAD);
    let (issued_at, expires_at) = (Timestamp::from_seconds(wire.iat), Timestamp::from_seconds(wire.exp));
    if issued_at > latest || wire.nbf.is_some_and(|from| Timestamp::from_seconds(from) > latest) {
        return Err(Rejection::NotYet);
    }
    if expires_at.plus(LEEWAY) <= now {
        return Err(Rejection::Expired);
    }
    // We issue none that live longer; one that does was made by mistake, or before the rule changed.
    if expires_at > issued_at.plus(ACCESS_LIFETIME) {
        return Err(Rejection::BadClaims);
    }
    Ok(AccessClaims {
        issuer: wire.iss.into_owned(),
        audience: wire.aud.into_owned(),
        account: AccountId::from_uuid(wire.sub),
        issued_at,
        expires_at,
        id: wire.jti,
        session: SessionId::from_uuid(wire.sid),
        generation: Generation::new(wire.r#gen).ok_or(Rejection::BadClaims)?,
        roles: Roles::parse(&wire.scope),
        auth_time: Timestamp::from_seconds(wire.auth_time),
        proofs: wire.amr.iter().filter_map(|name| Proof::parse(name)).fold(Proofs::NONE, Proofs::with),
    })
}

#[cfg(test)]
mod tests;
