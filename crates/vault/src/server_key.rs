//! The server's own random keys, from which the keys for one purpose each are derived.
//!
//! They are made once, stored wrapped by the ring, and kept when the ring rotates: an index or a MAC made
//! with another key would find nothing and recognise nothing.

use std::fmt;

use aws_lc_rs::{hkdf, hmac};
use domain::{Error, Random, Result};
use zeroize::Zeroizing;

use crate::ring::Ring;
use crate::seal::{Context, KEY_LENGTH};

/// A secret of 256 bits.
pub struct ServerKey(Zeroizing<[u8; KEY_LENGTH]>);

impl ServerKey {
    /// A fresh one, at the first start.
    pub fn generate(random: &Random) -> Self {
        let mut bytes = Zeroizing::new([0; KEY_LENGTH]);
        random.fill(&mut *bytes);
        Self(bytes)
    }

    /// What to store.
    pub fn wrap(&self, ring: &Ring, context: &Context, random: &Random) -> Result<Vec<u8>> {
        ring.wrap(context, &*self.0, random)
    }

    /// Takes a stored one back; fails with `Internal` as [`Ring::unwrap`] does.
    pub fn unwrap(ring: &Ring, context: &Context, blob: &[u8]) -> Result<Self> {
        let bytes = ring.unwrap(context, blob)?;
        match <[u8; KEY_LENGTH]>::try_from(bytes.as_slice()) {
            Ok(bytes) => Ok(Self(Zeroizing::new(bytes))),
            Err(_) => Err(Error::internal("a stored server key has the wrong length")),
        }
    }

    /// A MAC key for `purpose` (HKDF-SHA-256, RFC 5869), bound to `salt` as well.
    pub(crate) fn derive(&self, salt: &[u8], purpose: &str) -> Result<hmac::Key> {
        hkdf::Salt::new(hkdf::HKDF_SHA256, salt)
            .extract(&*self.0)
            .expand(&[purpose.as_bytes()], hmac::HMAC_SHA256)
            .map(hmac::Key::from)
            .map_err(|_| Error::internal("a key could not be derived"))
    }
}

impl fmt::Debug for ServerKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("ServerKey(…)")
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;
    use crate::testing::random;

    #[test]
    fn purposes_and_salts_give_different_keys() -> Result<()> {
        let key = ServerKey::generate(&random(1));
        let tag = |salt: &[u8], purpose| -> Result<Vec<u8>> {
            Ok(hmac::sign(&key.derive(salt, purpose)?, b"x").as_ref().to_vec())
        };
        assert_eq!(tag(b"", "email")?, tag(b"", "email")?);
        assert_ne!(tag(b"", "email")?, tag(b"", "cell")?);
        assert_ne!(tag(b"1", "email")?, tag(b"2", "email")?);
        Ok(())
    }

    #[test]
    fn it_survives_storage() -> Result<()> {
        let random = random(1);
        let (ring, key) = (Ring::generate(&random)?, ServerKey::generate(&random));
        let place = Context::server("server_keys", Uuid::nil(), "index");
        let blob = key.wrap(&ring, &place, &random)?;
        assert_eq!(*ServerKey::unwrap(&ring, &place, &blob)?.0, *key.0);
        let short = ring.wrap(&place, b"short", &random)?;
        assert!(ServerKey::unwrap(&ring, &place, &short).is_err());
        Ok(())
    }
}
