//! The public keys of somebody else who signs tokens (RFC 7517), and signatures checked with them.
//!
//! The set comes from the address that the operator's provider names. What a token says of keys (`jku`, `jwk`, `x5u`,
//! `x5c`) is not even read: whoever forges a token would name their own.

use std::fmt;

use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED, ED25519, RSA_PKCS1_2048_8192_SHA256, RSA_PSS_2048_8192_SHA256,
    RsaPublicKeyComponents, UnparsedPublicKey,
};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Deserialize;

/// How a provider may sign. All are asymmetric: with a secret that both sides hold, or with none, anybody who knows
/// what is public could sign.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Algorithm {
    /// RSA with PKCS #1 padding: what every provider must offer.
    Rs256,
    /// RSA with PSS padding.
    Ps256,
    /// ECDSA with P-256.
    Es256,
    /// Ed25519.
    EdDsa,
}

impl Algorithm {
    pub const ALL: [Self; 4] = [Self::Rs256, Self::Ps256, Self::Es256, Self::EdDsa];

    /// The name in headers and metadata; compared exactly, case and all.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Rs256 => "RS256",
            Self::Ps256 => "PS256",
            Self::Es256 => "ES256",
            Self::EdDsa => "EdDSA",
        }
    }

    /// The algorithm of that name; `None` for all that we do not take. `Ed25519` is the newer name of the one curve
    /// that we take under `EdDSA` (RFC 9864).
    pub fn parse(name: &str) -> Option<Self> {
        if name == "Ed25519" {
            return Some(Self::EdDsa);
        }
        Self::ALL.into_iter().find(|algorithm| algorithm.name() == name)
    }
}

/// Keys of one set that are looked at; providers publish a handful.
const MOST_KEYS: usize = 64;
/// The longest member of a key: an RSA modulus of 8192 bits.
const LONGEST_MEMBER: usize = 1400;

#[derive(Deserialize)]
struct WireSet {
    keys: Vec<serde_json::Value>,
}

#[derive(Deserialize)]
struct Wire {
    kty: String,
    kid: Option<String>,
    alg: Option<String>,
    #[serde(rename = "use")]
    usage: Option<String>,
    crv: Option<String>,
    n: Option<String>,
    e: Option<String>,
    x: Option<String>,
    y: Option<String>,
}

enum Material {
    Rsa(RsaPublicKeyComponents<Vec<u8>>),
    /// An uncompressed point.
    P256(Vec<u8>),
    Ed25519(Vec<u8>),
}

struct PublicKey {
    id: Option<String>,
    /// The one algorithm that the key is for, when its owner says so.
    algorithm: Option<Algorithm>,
    material: Material,
}

/// A provider's keys. Those of kinds that we do not know are left out.
pub struct JwkSet(Vec<PublicKey>);

/// Why no key vouches for a signature.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NotSigned {
    /// The set has no such key: it may be older than the token.
    UnknownKey,
    /// The key is there, and did not sign this.
    BadSignature,
}

impl JwkSet {
    /// Reads a set; `None` when it is none. One strange key does not spoil the others.
    pub fn parse(document: &[u8]) -> Option<Self> {
        let set: WireSet = serde_json::from_slice(document).ok()?;
        let keys = set.keys.into_iter().take(MOST_KEYS);
        Some(Self(keys.filter_map(|key| PublicKey::read(serde_json::from_value(key).ok()?)).collect()))
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Checks a signature with the key of this id. A token without an id may be checked only where there is no choice.
    pub fn verify(
        &self,
        algorithm: Algorithm,
        id: Option<&str>,
        message: &[u8],
        signature: &[u8],
    ) -> Result<(), NotSigned> {
        let mut fitting = self.0.iter().filter(|key| key.is_for(algorithm));
        let key = match id {
            Some(id) => fitting.find(|key| key.id.as_deref() == Some(id)),
            None => fitting.next().filter(|_| fitting.next().is_none()),
        };
        let key = key.ok_or(NotSigned::UnknownKey)?;
        if key.verifies(algorithm, message, signature) { Ok(()) } else { Err(NotSigned::BadSignature) }
    }
}

impl fmt::Debug for JwkSet {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "JwkSet({} keys)", self.0.len())
    }
}

impl PublicKey {
    fn read(wire: Wire) -> Option<Self> {
        if wire.usage.is_some_and(|usage| usage != "sig") {
            return None;
        }
        let algorithm = match &wire.alg {
            Some(name) => Some(Algorithm::parse(name)?),
            None => None,
        };
        let material = match (&*wire.kty, wire.crv.as_deref()) {
            ("RSA", None) => Material::Rsa(RsaPublicKeyComponents { n: bytes(wire.n)?, e: bytes(wire.e)? }),
            ("EC", Some("P-256")) => {
                let (x, y) = (bytes(wire.x)?, bytes(wire.y)?);
                let mut point = vec![4];
                point.extend_from_slice(&x);
                point.extend_from_slice(&y);
                Material::P256((x.len() == 32 && y.len() == 32).then_some(point)?)
            }
            ("OKP", Some("Ed25519")) => Material::Ed25519(bytes(wire.x).filter(|x| x.len() == 32)?),
            _ => return None,
        };
        Some(Self { id: wire.kid, algorithm, material })
    }

    /// Whether the key may be used this way: each key is used with one algorithm, where its owner says which.
    fn is_for(&self, algorithm: Algorithm) -> bool {
        let fits = matches!(
            (&self.material, algorithm),
            (Material::Rsa(_), Algorithm::Rs256 | Algorithm::Ps256)
                | (Material::P256(_), Algorithm::Es256)
                | (Material::Ed25519(_), Algorithm::EdDsa)
        );
        fits && self.algorithm.is_none_or(|only| only == algorithm)
    }

    fn verifies(&self, algorithm: Algorithm, message: &[u8], signature: &[u8]) -> bool {
        let checked = match (&self.material, algorithm) {
            (Material::Rsa(key), Algorithm::Rs256) => {
                key.verify(&RSA_PKCS1_2048_8192_SHA256, message, signature)
            }
            (Material::Rsa(key), Algorithm::Ps256) => {
                key.verify(&RSA_PSS_2048_8192_SHA256, message, signature)
            }
            (Material::P256(point), Algorithm::Es256) => {
                UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, point).verify(message, signature)
            }
            (Material::Ed25519(key), Algorithm::EdDsa) => {
                UnparsedPublicKey::new(&ED25519, key).verify(message, signature)
            }
            _ => return false,
        };
        checked.is_ok()
    }
}

fn bytes(member: Option<String>) -> Option<Vec<u8>> {
    let member = member.filter(|text| text.len() <= LONGEST_MEMBER)?;
    URL_SAFE_NO_PAD.decode(member).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn strange_keys_are_left_out() {
        let x = URL_SAFE_NO_PAD.encode([7; 32]);
        let set = |key: &str| JwkSet::parse(format!(r#"{{"keys":[{key}]}}"#).as_bytes()).unwrap();
        assert!(!set(&format!(r#"{{"kty":"OKP","crv":"Ed25519","x":"{x}"}}"#)).is_empty());
        for strange in [
            format!(r#"{{"kty":"OKP","crv":"Ed25519","x":"{x}","use":"enc"}}"#),
            format!(r#"{{"kty":"OKP","crv":"Ed25519","x":"{x}","alg":"HS256"}}"#),
            format!(r#"{{"kty":"OKP","crv":"X25519","x":"{x}"}}"#),
            format!(r#"{{"kty":"EC","crv":"P-256","x":"{x}"}}"#),
            format!(r#"{{"kty":"EC","crv":"P-256","x":"{x}","y":"AA"}}"#),
            String::from(r#"{"kty":"oct","k":"c2VjcmV0"}"#),
            String::from(r#"{"kty":"RSA","n":"!","e":"AQAB"}"#),
            String::from("7"),
        ] {
            assert!(set(&strange).is_empty(), "{strange}");
        }
        for none in ["", "[]", "{}", r#"{"keys":{}}"#] {
            assert!(JwkSet::parse(none.as_bytes()).is_none(), "{none}");
        }
    }

    #[test]
    fn names_are_exact() {
        for algorithm in Algorithm::ALL {
            assert_eq!(Algorithm::parse(algorithm.name()), Some(algorithm));
        }
        assert_eq!(Algorithm::parse("Ed25519"), Some(Algorithm::EdDsa));
        for other in ["", "none", "None", "HS256", "rs256", "RS512", "ES256K", "RS256 "] {
            assert_eq!(Algorithm::parse(other), None, "{other}");
        }
    }
}
