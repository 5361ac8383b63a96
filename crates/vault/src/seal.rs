//! Sealing: authenticated encryption of one value, bound to the place where it is stored.
//!
//! The cipher is AES-256-GCM-SIV (RFC 8452). Plain GCM is a little faster, but a nonce that repeats, as after
//! a virtual machine was resumed twice from one snapshot, would give its key away; here it only shows that
//! two values are equal. With random nonces of 96 bits and a key per account, repeats do not happen otherwise.
//!
//! A blob is `version (1) ‖ nonce (12) ‖ ciphertext ‖ tag (16)`: 29 bytes longer than its plaintext.

use std::fmt;

use aws_lc_rs::aead::{AES_256_GCM_SIV, Aad, LessSafeKey, Nonce, UnboundKey};
use domain::{AccountId, Error, Random, Result};
use uuid::Uuid;
use zeroize::Zeroizing;

/// Length of every symmetric key in bytes.
pub const KEY_LENGTH: usize = 32;
/// How many bytes longer than its plaintext a blob is.
pub const OVERHEAD: usize = 1 + NONCE_LENGTH + TAG_LENGTH;

const VERSION: u8 = 1;
const NONCE_LENGTH: usize = 12;
const TAG_LENGTH: usize = 16;

/// The place of a value: a blob opens there and nowhere else, so nobody with write access to the database
/// can pass one account's, row's or column's value off as another's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Context {
    /// Which table, or another kind of store.
    pub table: &'static str,
    /// Whose it is; the nil id for what belongs to the server.
    pub account: AccountId,
    /// Which row; the nil id where the account has only one.
    pub row: Uuid,
    /// Which column.
    pub column: &'static str,
}

impl Context {
    /// The place of something that belongs to an account.
    pub const fn new(table: &'static str, account: AccountId, row: Uuid, column: &'static str) -> Self {
        Self { table, account, row, column }
    }

    /// The place of something of the server's own.
    pub const fn server(table: &'static str, row: Uuid, column: &'static str) -> Self {
        Self::new(table, AccountId::from_uuid(Uuid::nil()), row, column)
    }

    /// The associated data. Each text is followed by a byte that no text holds, and the ids have a fixed
    /// length, so two places never give the same bytes.
    fn associated_data(&self, version: u8) -> Vec<u8> {
        let mut data = Vec::with_capacity(35 + self.table.len() + self.column.len());
        data.push(version);
        data.extend_from_slice(self.table.as_bytes());
        data.push(0xFF);
        data.extend_from_slice(self.column.as_bytes());
        data.push(0xFF);
        data.extend_from_slice(self.account.uuid().as_bytes());
        data.extend_from_slice(self.row.as_bytes());
        data
    }
}

/// A key that seals and opens: an account's own, or one of the ring. The key schedule is kept, so that
/// opening costs no set-up.
pub struct DataKey(LessSafeKey);

impl DataKey {
    /// A key of these bytes. They are the caller's to wipe.
    pub fn from_bytes(bytes: &[u8; KEY_LENGTH]) -> Result<Self> {
        UnboundKey::new(&AES_256_GCM_SIV, bytes)
            .map(|key| Self(LessSafeKey::new(key)))
            .map_err(|_| Error::internal("the cipher refused a key"))
    }

    /// Seals `plaintext` for its place.
    pub fn seal(&self, context: &Context, plaintext: &[u8], random: &Random) -> Result<Vec<u8>> {
        let nonce: [u8; NONCE_LENGTH] = random.bytes();
        let mut blob = Vec::with_capacity(OVERHEAD + plaintext.len());
        blob.push(VERSION);
        blob.extend_from_slice(&nonce);
        blob.extend_from_slice(plaintext);
        let aad = Aad::from(context.associated_data(VERSION));
        let nonce = Nonce::assume_unique_for_key(nonce);
        let text = blob.get_mut(1 + NONCE_LENGTH..).unwrap_or_default();
        let tag = self
            .0
            .seal_in_place_separate_tag(nonce, aad, text)
            .map_err(|_| Error::internal("the cipher could not seal"))?;
        blob.extend_from_slice(tag.as_ref());
        Ok(blob)
    }

    /// Opens what was sealed for this very place with this very key.
    ///
    /// Fails with `Internal` when the key, the place or a single bit differs; the text never says which value.
    pub fn open(&self, context: &Context, blob: &[u8]) -> Result<Zeroizing<Vec<u8>>> {
        let refused = || {
            let Context { table, column, .. } = context;
            Error::internal(format_args!("a sealed value of {table}.{column} does not open"))
        };
        let (version, rest) = blob.split_first().ok_or_else(refused)?;
        let (nonce, sealed) = rest.split_first_chunk::<NONCE_LENGTH>().ok_or_else(refused)?;
        if *version != VERSION {
            return Err(refused());
        }
        let mut text = Zeroizing::new(sealed.to_vec());
        let aad = Aad::from(context.associated_data(*version));
        let opened = self
            .0
            .open_in_place(Nonce::assume_unique_for_key(*nonce), aad, &mut text)
            .map_err(|_| refused())?
            .len();
        text.truncate(opened);
        Ok(text)
    }
}

impl fmt::Debug for DataKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("DataKey(…)")
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::testing::random;

    fn place(account: u128, row: u128) -> Context {
        Context::new(
            "favourites",
            AccountId::from_uuid(Uuid::from_u128(account)),
            Uuid::from_u128(row),
            "body",
        )
    }

    fn key(seed: u64) -> DataKey {
        let Ok(key) = DataKey::from_bytes(&random(seed).bytes()) else { panic!("no key") };
        key
    }

    proptest! {
        #[test]
        fn what_was_sealed_opens_in_its_place_alone(
            plaintext in proptest::collection::vec(any::<u8>(), 0..400),
            account: u128, row: u128, seed: u64,
        ) {
            let (key, here) = (key(seed), place(account, row));
            let blob = key.seal(&here, &plaintext, &random(seed)).unwrap();
            prop_assert_eq!(blob.len(), plaintext.len() + OVERHEAD);
            prop_assert_eq!(&*key.open(&here, &blob).unwrap(), &plaintext);
            for elsewhere in [
                place(account ^ 1, row),
                place(account, row ^ 1),
                Context { table: "trips", ..here },
                Context { column: "note", ..here },
                // The same letters on the other side of the boundary between table and column.
                Context { table: "favouritesb", column: "ody", ..here },
            ] {
                prop_assert!(key.open(&elsewhere, &blob).is_err());
            }
            prop_assert!(self::key(seed ^ 1).open(&here, &blob).is_err());
        }

        #[test]
        fn no_bit_may_change(plaintext in proptest::collection::vec(any::<u8>(), 0..60), bit: usize) {
            let (key, here) = (key(7), place(1, 2));
            let mut blob = key.seal(&here, &plaintext, &random(1)).unwrap();
            let bit = bit % (blob.len() * 8);
            blob[bit / 8] ^= 1 << (bit % 8);
            prop_assert!(key.open(&here, &blob).is_err());
        }

        #[test]
        fn rubbish_is_refused(blob in proptest::collection::vec(any::<u8>(), 0..80)) {
            prop_assert!(key(7).open(&place(1, 2), &blob).is_err());
        }
    }

    #[test]
    fn equal_texts_give_different_blobs() -> Result<()> {
        let (key, random) = (key(7), random(1));
        assert_ne!(key.seal(&place(1, 2), b"Lisbon", &random)?, key.seal(&place(1, 2), b"Lisbon", &random)?);
        Ok(())
    }

    #[test]
    fn a_failure_tells_no_ids() -> Result<()> {
        let text = match key(7).open(&place(0xABCD, 2), b"") {
            Err(error) => error.to_string(),
            Ok(_) => panic!("opened"),
        };
        assert_eq!(text, "a sealed value of favourites.body does not open");
        Ok(())
    }
}
