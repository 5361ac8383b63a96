//! The keys that sign access tokens: made, kept, published, rotated.
//!
//! A key is first **pending**: published, so that others' caches learn it, but not used. Then **active**: the
//! one that signs. Then **retiring**: published for as long as a token it signed can live. So no rotation
//! refuses a good token.

use std::collections::HashMap;
use std::fmt;
use std::time::Duration;

use aws_lc_rs::digest;
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED, ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair, ParsedPublicKey,
    Signature,
};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use domain::access::{ACCESS_LIFETIME, ACCESS_TYPE};
use domain::{Error, Result, Timestamp};
use zeroize::Zeroizing;

/// How long others may keep the published keys: `max-age` of `/.well-known/jwks.json`.
pub const JWKS_MAX_AGE: Duration = Duration::from_secs(300);
/// How long a key is published before it signs: two lives of a cached copy.
pub const PENDING_FOR: Duration = Duration::from_secs(600);
/// How long a key signs.
pub const ACTIVE_FOR: Duration = Duration::from_secs(30 * 24 * 60 * 60);
/// How long a key that signs no more is still accepted: the life of its last token and a minute for clocks.
pub const RETIRING_FOR: Duration = ACCESS_LIFETIME.saturating_add(Duration::from_secs(60));

/// Where a key is in its life.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum KeyState {
    /// Published, and not used yet.
    Pending,
    /// The one that signs.
    Active,
    /// Still accepted, and signs no more.
    Retiring,
}

impl KeyState {
    /// The word used in the database.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Active => "active",
            Self::Retiring => "retiring",
        }
    }

    /// The state of that name; `None` when there is none.
    pub fn parse(name: &str) -> Option<Self> {
        [Self::Pending, Self::Active, Self::Retiring].into_iter().find(|state| state.name() == name)
    }

    /// Whether a key that is in this state since `since` is due for the next one: an active key for its
    /// successor to be made, a pending key to become active, a retiring key to be dropped.
    pub fn is_due(self, since: Timestamp, now: Timestamp) -> bool {
        let stay = match self {
            Self::Pending => PENDING_FOR,
            Self::Active => ACTIVE_FOR,
            Self::Retiring => RETIRING_FOR,
        };
        now.since(since) >= stay
    }
}

/// An ECDSA P-256 key pair with the id under which its public half is known.
pub struct SigningKey {
    id: String,
    pair: EcdsaKeyPair,
    public: ParsedPublicKey,
    /// The first part of every token it signs: the header never varies, so it is encoded once.
    header: String,
}

/// Makes the library's random generator begin, which takes it tens of milliseconds. Blocks; for a start that
/// would otherwise leave it to the first person who signs in.
pub fn warm_up() {
    // A generator that does not work is an error of whoever needs it next.
    let _ = aws_lc_rs::rand::fill(&mut [0; 1]);
}

impl SigningKey {
    /// Makes a key pair, and its PKCS #8 document for the caller to seal and store. The random source is the
    /// library's own.
    pub fn generate() -> Result<(Self, Zeroizing<Vec<u8>>)> {
        let document = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &SystemRandom::new())
            .map_err(|_| Error::internal("a signing key could not be made"))?;
        let document = Zeroizing::new(document.as_ref().to_vec());
        Ok((Self::from_pkcs8(&document)?, document))
    }

    /// Takes a stored one back; fails with `Internal` for anything but a P-256 key.
    pub fn from_pkcs8(document: &[u8]) -> Result<Self> {
        let refused = || Error::internal("a stored signing key is damaged");
        let pair =
            EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, document).map_err(|_| refused())?;
        let point = pair.public_key().as_ref();
        let public = ParsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, point).map_err(|_| refused())?;
        let (x, y) = coordinates(point).ok_or_else(refused)?;
        // RFC 7638: the required members in the order of their names, without white space.
        let members = format!(r#"{{"crv":"P-256","kty":"EC","x":"{x}","y":"{y}"}}"#);
        let id = URL_SAFE_NO_PAD.encode(digest::digest(&digest::SHA256, members.as_bytes()));
        let header = format!(r#"{{"alg":"ES256","kid":"{id}","typ":"{ACCESS_TYPE}"}}"#);
        Ok(Self { header: URL_SAFE_NO_PAD.encode(header), id, pair, public })
    }

    /// `kid`: the RFC 7638 thumbprint of the public key.
    pub fn id(&self) -> &str {
        &self.id
    }

    pub(crate) fn header(&self) -> &str {
        &self.header
    }

    /// 64 bytes, r ‖ s (RFC 7518 section 3.4).
    pub(crate) fn sign(&self, message: &[u8]) -> Result<Signature> {
        self.pair
            .sign(&SystemRandom::new(), message)
            .map_err(|_| Error::internal("a token could not be signed"))
    }

    pub(crate) fn verifies(&self, message: &[u8], signature: &[u8]) -> bool {
        self.public.verify_sig(message, signature).is_ok()
    }

    /// The public half as a JWK (RFC 7517); every member is base64url or fixed, so nothing needs escaping.
    fn jwk(&self) -> String {
        let (x, y) = coordinates(self.pair.public_key().as_ref()).unwrap_or_default();
        let id = &self.id;
        format!(r#"{{"kty":"EC","crv":"P-256","x":"{x}","y":"{y}","kid":"{id}","alg":"ES256","use":"sig"}}"#)
    }
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "SigningKey({})", self.id)
    }
}

/// The two coordinates of an uncompressed point (SEC 1: `04 ‖ x ‖ y`) in base64url.
fn coordinates(point: &[u8]) -> Option<(String, String)> {
    match point.split_first()? {
        (4, rest) if rest.len() == 64 => {
            let (x, y) = rest.split_at(32);
            Some((URL_SAFE_NO_PAD.encode(x), URL_SAFE_NO_PAD.encode(y)))
        }
        _ => None,
    }
}

/// All keys that count now, one of them active. Made anew whenever the stored keys change.
pub struct KeySet {
    keys: Vec<SigningKey>,
    active: usize,
    by_header: HashMap<String, usize>,
}

impl KeySet {
    /// Fails with `Internal` unless exactly one key is active.
    pub fn new(keys: Vec<(KeyState, SigningKey)>) -> Result<Self> {
        let mut active = keys.iter().enumerate().filter(|(_, (state, _))| *state == KeyState::Active);
        let (Some((index, _)), None) = (active.next(), active.next()) else {
            return Err(Error::internal("exactly one signing key must be active"));
        };
        let keys: Vec<_> = keys.into_iter().map(|(_, key)| key).collect();
        let by_header = keys.iter().enumerate().map(|(at, key)| (key.header.clone(), at)).collect();
        Ok(Self { keys, active: index, by_header })
    }

    pub(crate) fn active(&self) -> Result<&SigningKey> {
        self.keys.get(self.active).ok_or_else(|| Error::internal("no signing key is active"))
    }

    pub(crate) fn by_header(&self, header: &str) -> Option<&SigningKey> {
        self.by_header.get(header).and_then(|at| self.keys.get(*at))
    }

    /// The body of `/.well-known/jwks.json`: the public halves of all keys.
    pub fn jwks(&self) -> String {
        let keys: Vec<_> = self.keys.iter().map(SigningKey::jwk).collect();
        format!(r#"{{"keys":[{}]}}"#, keys.join(","))
    }
}

impl fmt::Debug for KeySet {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("KeySet").field("keys", &self.keys).field("active", &self.active).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stored_key_is_the_same_key() -> Result<()> {
        let (key, document) = SigningKey::generate()?;
        let stored = SigningKey::from_pkcs8(&document)?;
        assert_eq!(key.id(), stored.id());
        assert!(stored.verifies(b"text", key.sign(b"text")?.as_ref()));
        assert!(!stored.verifies(b"test", key.sign(b"text")?.as_ref()));
        assert!(SigningKey::from_pkcs8(&document[1..]).is_err());
        Ok(())
    }

    #[test]
    fn the_published_set_holds_public_halves_only() -> Result<()> {
        let keys = [KeyState::Pending, KeyState::Active, KeyState::Retiring]
            .into_iter()
            .map(|state| Ok((state, SigningKey::generate()?.0)))
            .collect::<Result<Vec<_>>>()?;
        let ids: Vec<_> = keys.iter().map(|(_, key)| key.id().to_owned()).collect();
        let set: serde_json::Value = serde_json::from_str(&KeySet::new(keys)?.jwks()).unwrap();
        let published = set["keys"].as_array().unwrap();
        assert_eq!(published.len(), 3);
        for (jwk, id) in published.iter().zip(&ids) {
            let mut members: Vec<_> = jwk.as_object().unwrap().keys().map(String::as_str).collect();
            members.sort_unstable();
            assert_eq!(members, ["alg", "crv", "kid", "kty", "use", "x", "y"]);
            assert_eq!(jwk["kid"], id.as_str());
        }
        Ok(())
    }

    #[test]
    fn exactly_one_key_is_active() -> Result<()> {
        let key = || SigningKey::generate().map(|(key, _)| key);
        assert!(KeySet::new(Vec::new()).is_err());
        assert!(KeySet::new(vec![(KeyState::Pending, key()?)]).is_err());
        assert!(KeySet::new(vec![(KeyState::Active, key()?), (KeyState::Active, key()?)]).is_err());
        Ok(())
    }

    #[test]
    fn a_key_is_published_before_it_signs_and_after() {
        let since = Timestamp::from_seconds(1_795_000_000);
        for (state, stay) in [
            (KeyState::Pending, JWKS_MAX_AGE * 2),
            (KeyState::Active, ACTIVE_FOR),
            (KeyState::Retiring, ACCESS_LIFETIME + Duration::from_secs(60)),
        ] {
            assert!(!state.is_due(since, since.plus(stay).minus(Duration::from_millis(1))));
            assert!(state.is_due(since, since.plus(stay)));
            assert_eq!(KeyState::parse(state.name()), Some(state));
        }
    }
}
