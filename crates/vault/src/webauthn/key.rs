//! The public key of a credential, as authenticators write it (COSE, RFC 9053).

use std::fmt;

use aws_lc_rs::rsa::PublicKeyComponents;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_ASN1, ED25519, ParsedPublicKey, RSA_PKCS1_2048_8192_SHA256, VerificationAlgorithm,
};

use super::Refusal;
use super::cbor::{self, Value};

/// Algorithms that we ask for, the best first: ECDSA on P-256, Ed25519, and RSA for old Windows Hello.
pub const ALGORITHMS: [i64; 3] = [ES256, EDDSA, RS256];

const ES256: i64 = -7;
const EDDSA: i64 = -8;
const RS256: i64 = -257;

const KIND: Value<'_> = Value::Number(1);
const ALGORITHM: Value<'_> = Value::Number(3);
/// The curve, or the modulus of an RSA key.
const FIRST: Value<'_> = Value::Number(-1);
/// The point's x, or the exponent.
const SECOND: Value<'_> = Value::Number(-2);
const THIRD: Value<'_> = Value::Number(-3);

/// A key that was read and is sound.
#[derive(Clone, PartialEq, Eq)]
pub struct CredentialKey {
    cose: Vec<u8>,
    key: Key,
}

#[derive(Clone, PartialEq, Eq)]
enum Key {
    /// An uncompressed point.
    P256(Vec<u8>),
    Ed25519(Vec<u8>),
    Rsa {
        modulus: Vec<u8>,
        exponent: Vec<u8>,
    },
}

impl CredentialKey {
    /// Reads a key; exactly one, of a kind that we asked for, and a point of its curve.
    pub fn parse(cose: &[u8]) -> Result<Self, Refusal> {
        let Some((map @ Value::Map(_), [])) = cbor::read(cose) else { return Err(Refusal::Malformed) };
        let number = |key| match map.get(key) {
            Some(Value::Number(number)) => Some(*number),
            _ => None,
        };
        let bytes = |key, length: usize| {
            map.get(key)
                .and_then(Value::as_bytes)
                .filter(|bytes| bytes.len() == length)
                .ok_or(Refusal::BadKey)
        };
        let key = match (number(&KIND), number(&ALGORITHM)) {
            (Some(2), Some(ES256)) if number(&FIRST) == Some(1) => {
                let point = [&[4], bytes(&SECOND, 32)?, bytes(&THIRD, 32)?].concat();
                require_sound(&ECDSA_P256_SHA256_ASN1, &point)?;
                Key::P256(point)
            }
            (Some(1), Some(EDDSA)) if number(&FIRST) == Some(6) => {
                let point = bytes(&SECOND, 32)?;
                require_sound(&ED25519, point)?;
                Key::Ed25519(point.to_vec())
            }
            (Some(3), Some(RS256)) => {
                let modulus = map.get(&FIRST).and_then(Value::as_bytes).ok_or(Refusal::BadKey)?;
                let exponent = map.get(&SECOND).and_then(Value::as_bytes).ok_or(Refusal::BadKey)?;
                // 2048 to 8192 bits; the library checks the rest at each use.
                if !(256..=1024).contains(&modulus.len()) || !(1..=4).contains(&exponent.len()) {
                    return Err(Refusal::BadKey);
                }
                Key::Rsa { modulus: modulus.to_vec(), exponent: exponent.to_vec() }
            }
            _ => return Err(Refusal::UnknownAlgorithm),
        };
        Ok(Self { cose: cose.to_vec(), key })
    }

    /// What to store, and to give to [`CredentialKey::parse`] again.
    pub fn as_cose(&self) -> &[u8] {
        &self.cose
    }

    /// Whether the holder of the private half signed these bytes.
    pub fn verify(&self, signed: &[u8], signature: &[u8]) -> Result<(), Refusal> {
        let with = |algorithm: &'static dyn VerificationAlgorithm, key: &[u8]| {
            let key = ParsedPublicKey::new(algorithm, key).map_err(|_| Refusal::BadKey)?;
            key.verify_sig(signed, signature).map_err(|_| Refusal::BadSignature)
        };
        match &self.key {
            Key::P256(point) => with(&ECDSA_P256_SHA256_ASN1, point),
            Key::Ed25519(point) => with(&ED25519, point),
            Key::Rsa { modulus, exponent } => PublicKeyComponents { n: modulus, e: exponent }
                .verify(&RSA_PKCS1_2048_8192_SHA256, signed, signature)
                .map_err(|_| Refusal::BadSignature),
        }
    }
}

impl fmt::Debug for CredentialKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("CredentialKey(…)")
    }
}

fn require_sound(algorithm: &'static dyn VerificationAlgorithm, key: &[u8]) -> Result<(), Refusal> {
    ParsedPublicKey::new(algorithm, key).map(drop).map_err(|_| Refusal::BadKey)
}
