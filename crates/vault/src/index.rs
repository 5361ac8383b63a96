//! Blind indexes: keyed hashes by which rows are found without opening what is sealed in them.
//!
//! Whoever has the database but not the key can neither read an index nor test a guess against it. Each
//! purpose has a key of its own, so that equal inputs of two purposes have nothing in common.

use std::fmt;

use aws_lc_rs::hmac;
use domain::email::Email;
use domain::{AccountId, Result};

pub use crate::mac::Tag;
use crate::mac::{digest, tag};
use crate::server_key::ServerKey;

/// The keys of all indexes.
pub struct BlindIndex {
    email: hmac::Key,
    identity: hmac::Key,
    credential: hmac::Key,
    place: hmac::Key,
    cell: hmac::Key,
    throttle: hmac::Key,
    request: hmac::Key,
    shared: hmac::Key,
}

impl BlindIndex {
    /// Derives the key of each purpose; fails with `Internal` when the library does.
    pub fn new(key: &ServerKey) -> Result<Self> {
        Ok(Self {
            email: key.derive(&[], "index email")?,
            identity: key.derive(&[], "index identity")?,
            credential: key.derive(&[], "index credential")?,
            place: key.derive(&[], "index place")?,
            cell: key.derive(&[], "index cell")?,
            throttle: key.derive(&[], "index throttle")?,
            request: key.derive(&[], "index request")?,
            shared: key.derive(&[], "index shared")?,
        })
    }

    /// Finds the account of an address, in whatever case it is typed.
    pub fn email(&self, email: &Email) -> Tag {
        tag(&self.email, &[email.normal_form().as_bytes()])
    }

    /// Finds the account of somebody whom a provider knows. A subject means something beside its issuer only: two
    /// providers may give the same one to two people.
    pub fn identity(&self, issuer: &str, subject: &str) -> Tag {
        tag(&self.identity, &[issuer.as_bytes(), subject.as_bytes()])
    }

    /// Finds a passkey by the id that its authenticator gave it.
    pub fn credential(&self, id: &[u8]) -> Tag {
        tag(&self.credential, &[id])
    }

    /// Keeps an account from saving the same place twice: the first eight bytes of the HMAC of account and
    /// place, so that two accounts with the same place do not show it.
    pub fn place_tag(&self, account: AccountId, place: &[u8]) -> i64 {
        number(tag(&self.place, &[account.uuid().as_bytes(), place]))
    }

    /// Finds who watches a cell of the weather grid. The same for all accounts: that is its use.
    pub fn cell_tag(&self, cell: &[u8]) -> i64 {
        number(tag(&self.cell, &[cell]))
    }

    /// Counts what is limited: `kind` says what is counted (failures for an address, mail to a network), and
    /// `subject` for whom. Addresses without an account have theirs as well.
    pub fn throttle_tag(&self, kind: &str, subject: &[u8]) -> Tag {
        tag(&self.throttle, &[kind.as_bytes(), subject])
    }

    /// Names something to the other nodes of this installation, on what outsiders may share: `kind` says what, and
    /// `subject` which.
    pub fn shared_tag(&self, kind: &str, subject: &[u8]) -> Tag {
        tag(&self.shared, &[kind.as_bytes(), subject])
    }

    /// Recognises a repeated request, or a client that repeats one, by its parts; nothing of them can be read
    /// back.
    pub fn request_digest(&self, parts: &[&[u8]]) -> [u8; 32] {
        digest(&self.request, parts)
    }
}

impl fmt::Debug for BlindIndex {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("BlindIndex(…)")
    }
}

fn number(tag: Tag) -> i64 {
    i64::from_be_bytes(tag.first_chunk().copied().unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;
    use crate::testing::random;

    fn index(seed: u64) -> BlindIndex {
        BlindIndex::new(&ServerKey::generate(&random(seed))).unwrap()
    }

    #[test]
    fn an_address_is_found_in_any_case_with_its_own_key_only() -> Result<()> {
        let (index, email) = (index(1), Email::parse("Ann@Example.com")?);
        assert_eq!(index.email(&email), index.email(&Email::parse("ann@example.COM")?));
        assert_ne!(index.email(&email), index.email(&Email::parse("bob@example.com")?));
        let (normal, kind) = (email.normal_form(), "index email");
        assert_ne!(index.email(&email), index.throttle_tag(kind, normal.as_bytes()));
        assert_ne!(index.email(&email), self::index(2).email(&email));
        Ok(())
    }

    #[test]
    fn an_identity_is_issuer_and_subject_together() {
        let index = index(1);
        let tag = index.identity("https://a.example", "1");
        assert_eq!(tag, index.identity("https://a.example", "1"));
        for other in [("https://a.example", "2"), ("https://b.example", "1"), ("https://a.example1", "")] {
            assert_ne!(tag, index.identity(other.0, other.1));
        }
    }

    #[test]
    fn tags_of_places_are_per_account_and_those_of_cells_are_not() {
        let index = index(1);
        let [ann, bob] = [1, 2].map(|id| AccountId::from_uuid(Uuid::from_u128(id)));
        assert_ne!(index.place_tag(ann, b"2267057"), index.place_tag(bob, b"2267057"));
        assert_eq!(index.place_tag(ann, b"2267057"), index.place_tag(ann, b"2267057"));
        assert_ne!(index.place_tag(ann, b"2267057"), index.place_tag(ann, b"2267058"));
        assert_eq!(index.cell_tag(b"872830828"), self::index(1).cell_tag(b"872830828"));
        assert_ne!(index.cell_tag(b"872830828"), index.cell_tag(b"872830829"));
    }

    #[test]
    fn what_is_counted_apart_has_tags_apart() {
        let index = index(1);
        assert_eq!(index.throttle_tag("mail", b"x"), index.throttle_tag("mail", b"x"));
        assert_ne!(index.throttle_tag("mail", b"x"), index.throttle_tag("password", b"x"));
        assert_ne!(index.throttle_tag("mail", b"x"), index.throttle_tag("mail", b"y"));
    }

    #[test]
    fn boundaries_between_parts_count() {
        let index = index(1);
        assert_ne!(index.request_digest(&[b"ab", b"c"]), index.request_digest(&[b"a", b"bc"]));
        assert_ne!(index.request_digest(&[b"ab", b""]), index.request_digest(&[b"ab"]));
    }
}
