//! ID tokens of providers (OpenID Connect Core 1.0, section 3.1.3.7): who somebody is, said to us, now, once.
//!
//! What is expected comes from the configuration and from the step that is under way, never from the token. The
//! claims are read only after the signature.

use std::time::Duration;

use aws_lc_rs::digest;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use domain::Timestamp;
use domain::email::Email;
use serde::Deserialize;

use crate::jwks::{Algorithm, JwkSet, NotSigned};
use crate::object;
use crate::secret::equal;

/// The longest token that is looked at; some providers put whole directories of groups into theirs.
pub const LONGEST: usize = 16 * 1024;
/// How far a provider's clock may be from ours.
const SKEW: Duration = Duration::from_secs(60);
/// A token that was issued longer ago belongs to no step that can still be under way.
const OLDEST: Duration = Duration::from_secs(60 * 60);
/// The longest subject (OpenID Connect Core 1.0, section 2).
const LONGEST_SUBJECT: usize = 255;

/// What a token must say.
#[derive(Clone, Copy, Debug)]
pub struct Expected<'a> {
    /// The provider's name of itself. Some providers write theirs in two ways; the first is the one that counts.
    pub issuers: &'a [&'a str],
    /// Our ids at the provider that this token may be for.
    pub audiences: &'a [&'a str],
    /// What the provider may sign with.
    pub algorithms: &'a [Algorithm],
    pub nonce: &'a str,
    /// The access token that came along, if one did.
    pub access_token: Option<&'a str>,
}

/// What a token that counts says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IdentityClaims {
    pub issuer: String,
    pub subject: String,
    /// Only when the provider says that it has verified it.
    pub email: Option<String>,
    /// When the person last showed the provider who they are, if it says so.
    pub auth_time: Option<Timestamp>,
}

/// Why a token does not count. Whoever brought it is told no more than that; this is for the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Rejection {
    TooLong,
    NotCompact,
    /// The header is malformed, demands an extension, or is of another kind of token.
    BadHeader,
    /// `alg` is none that this provider may use.
    WrongAlgorithm,
    /// No key of the set has this id.
    UnknownKey,
    BadSignature,
    BadClaims,
    WrongIssuer,
    WrongAudience,
    WrongParty,
    WrongNonce,
    WrongHash,
    Expired,
    NotYet,
}

#[derive(Deserialize)]
struct Header {
    alg: String,
    kid: Option<String>,
    typ: Option<String>,
    crit: Option<serde_json::Value>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Audience {
    One(String),
    Many(Vec<String>),
}

#[derive(Deserialize)]
struct Wire {
    iss: String,
    sub: String,
    aud: Audience,
    azp: Option<String>,
    exp: f64,
    iat: f64,
    nbf: Option<f64>,
    nonce: Option<String>,
    at_hash: Option<String>,
    auth_time: Option<f64>,
    email: Option<String>,
    // Some providers write a text here; whatever is not clearly yes is no.
    email_verified: Option<serde_json::Value>,
}

/// The claims of a token that is signed with one of these keys and says what is expected.
pub fn verify(
    keys: &JwkSet,
    token: &str,
    expected: &Expected<'_>,
    now: Timestamp,
) -> Result<IdentityClaims, Rejection> {
    if token.len() > LONGEST {
        return Err(Rejection::TooLong);
    }
    let (message, signature) = token.rsplit_once('.').ok_or(Rejection::NotCompact)?;
    let (header, payload) = message.split_once('.').ok_or(Rejection::NotCompact)?;
    let decode = |part: &str| URL_SAFE_NO_PAD.decode(part).map_err(|_| Rejection::NotCompact);
    let (header, payload, signature) = (decode(header)?, decode(payload)?, decode(signature)?);

    let header: Header = object::read(&header).ok_or(Rejection::BadHeader)?;
    let is_jwt = header.typ.as_deref().is_none_or(|typ| typ.eq_ignore_ascii_case("JWT"));
    if !is_jwt || header.crit.is_some() {
        return Err(Rejection::BadHeader);
    }
    let algorithm = Algorithm::parse(&header.alg).ok_or(Rejection::WrongAlgorithm)?;
    if !expected.algorithms.contains(&algorithm) {
        return Err(Rejection::WrongAlgorithm);
    }
    keys.verify(algorithm, header.kid.as_deref(), message.as_bytes(), &signature).map_err(
        |error| match error {
            NotSigned::UnknownKey => Rejection::UnknownKey,
            NotSigned::BadSignature => Rejection::BadSignature,
        },
    )?;
    let wire: Wire = object::read(&payload).ok_or(Rejection::BadClaims)?;
    wire.check(algorithm, expected, now)
}

impl Wire {
    fn check(
        self,
        algorithm: Algorithm,
        expected: &Expected<'_>,
        now: Timestamp,
    ) -> Result<IdentityClaims, Rejection> {
        if !expected.issuers.contains(&&*self.iss) {
            return Err(Rejection::WrongIssuer);
        }
        let is_ours = |audience: &String| expected.audiences.contains(&audience.as_str());
        // A token that is also for somebody else could be handed to us by them.
        let audience_fits = match &self.aud {
            Audience::One(one) => is_ours(one),
            Audience::Many(many) => !many.is_empty() && many.iter().all(is_ours),
        };
        if !audience_fits {
            return Err(Rejection::WrongAudience);
        }
        let needs_party = matches!(&self.aud, Audience::Many(many) if many.len() > 1);
        match &self.azp {
            Some(party) if !is_ours(party) => return Err(Rejection::WrongParty),
            None if needs_party => return Err(Rejection::WrongParty),
            _ => {}
        }
        let (issued, expires) = (seconds(self.iat)?, seconds(self.exp)?);
        if expires.plus(SKEW) <= now || issued.plus(OLDEST) <= now {
            return Err(Rejection::Expired);
        }
        let latest = now.plus(SKEW);
        let begins = self.nbf.map(seconds).transpose()?;
        if issued > latest || begins.is_some_and(|begins| begins > latest) {
            return Err(Rejection::NotYet);
        }
        if !self.nonce.is_some_and(|nonce| equal(nonce.as_bytes(), expected.nonce.as_bytes())) {
            return Err(Rejection::WrongNonce);
        }
        if let (Some(hash), Some(token)) = (&self.at_hash, expected.access_token)
            && !equal(hash.as_bytes(), half_hash(algorithm, token).as_bytes())
        {
            return Err(Rejection::WrongHash);
        }
        let sound_subject =
            (1..=LONGEST_SUBJECT).contains(&self.sub.len()) && self.sub.bytes().all(|b| b.is_ascii_graphic());
        if !sound_subject {
            return Err(Rejection::BadClaims);
        }
        let is_verified = match self.email_verified {
            Some(serde_json::Value::Bool(verified)) => verified,
            Some(serde_json::Value::String(text)) => text == "true",
            _ => false,
        };
        let email = self.email.filter(|_| is_verified).and_then(|text| Email::parse(&text).ok());
        Ok(IdentityClaims {
            issuer: expected.issuers.first().copied().unwrap_or_default().to_owned(),
            subject: self.sub,
            email: email.map(|email| email.as_str().to_owned()),
            auth_time: self.auth_time.map(seconds).transpose()?,
        })
    }
}

/// A time as providers write it: seconds, some with a fraction.
fn seconds(number: f64) -> Result<Timestamp, Rejection> {
    if (0.0..253_402_300_800.0).contains(&number) {
        Ok(Timestamp::from_seconds(number as i64))
    } else {
        Err(Rejection::BadClaims)
    }
}

/// The left half of the hash that goes with the algorithm, in base64url (section 3.1.3.6).
fn half_hash(algorithm: Algorithm, token: &str) -> String {
    let kind = match algorithm {
        Algorithm::EdDsa => &digest::SHA512,
        Algorithm::Rs256 | Algorithm::Ps256 | Algorithm::Es256 => &digest::SHA256,
    };
    let hash = digest::digest(kind, token.as_bytes());
    let half = hash.as_ref().len() / 2;
    URL_SAFE_NO_PAD.encode(hash.as_ref().get(..half).unwrap_or_default())
}

#[cfg(test)]
mod tests;
