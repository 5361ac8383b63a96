//! Blind indexes: keyed hashes by which rows are found without opening what is sealed in them.
//!
//! Whoever has the database but not the key can neither read an index nor test a guess against it. Each
//! purpose has a key of its own, so that equal inputs of two purposes have nothing in common.

use std::fmt;
use std::net::IpAddr;

use aws_lc_rs::hmac;
use domain::email::Email;
use domain::refresh::ClientTag;
use domain::{AccountId, Result};

use crate::server_key::ServerKey;

/// A tag of 128 bits, for what must not collide by chance or by intent.
pub type Tag = [u8; 16];

/// The keys of all indexes.
pub struct BlindIndex {
    email: hmac::Key,
    place: hmac::Key,
    cell: hmac::Key,
    throttle: hmac::Key,
    client: hmac::Key,
}

impl BlindIndex {
    /// Derives the key of each purpose; fails with `Internal` when the library does.
    pub fn new(key: &ServerKey) -> Result<Self> {
        Ok(Self {
            email: key.derive(&[], "index email")?,
            place: key.derive(&[], "index place")?,
            cell: key.derive(&[], "index cell")?,
            throttle: key.derive(&[], "index throttle")?,
            client: key.derive(&[], "index client")?,
        })
    }

    /// Finds the account of an address, in whatever case it is typed.
    pub fn email(&self, email: &Email) -> Tag {
        tag(&self.email, &[email.normal_form().as_bytes()])
    }

    /// Keeps an account from saving the same place twice: the first eight bytes of the HMAC of account and
    /// place, so that two accounts with the same place do not show it.
    pub fn place(&self, account: AccountId, place: &[u8]) -> i64 {
        number(tag(&self.place, &[account.uuid().as_bytes(), place]))
    }

    /// Finds who watches a cell of the weather grid. The same for all accounts: that is its use.
    pub fn cell(&self, cell: &[u8]) -> i64 {
        number(tag(&self.cell, &[cell]))
    }

    /// Counts the failures for an address, whether there is an account or not.
    pub fn throttle_account(&self, email: &Email) -> Tag {
        tag(&self.throttle, &[b"account", email.normal_form().as_bytes()])
    }

    /// Counts the failures of one device that signed in to this address before.
    pub fn throttle_device(&self, email: &Email, device: &[u8]) -> Tag {
        tag(&self.throttle, &[b"device", email.normal_form().as_bytes(), device])
    }

    /// Counts what one network does: an IPv4 address, or an IPv6 /64, which is what one subscriber has.
    pub fn throttle_network(&self, address: IpAddr) -> Tag {
        tag(&self.throttle, &[b"network", &network(address, 4)])
    }

    /// Recognises a client that repeats a refresh: by its IPv4 /24 or IPv6 /64 and its user agent.
    pub fn client(&self, address: IpAddr, user_agent: &str) -> ClientTag {
        let tag = tag(&self.client, &[&network(address, 3), user_agent.as_bytes()]);
        ClientTag(tag.first_chunk().copied().unwrap_or_default())
    }
}

impl fmt::Debug for BlindIndex {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("BlindIndex(…)")
    }
}

/// HMAC-SHA-256 over the parts, each with its length before it so that no two lists give the same bytes.
fn tag(key: &hmac::Key, parts: &[&[u8]]) -> Tag {
    let mut context = hmac::Context::with_key(key);
    for part in parts {
        context.update(&(part.len() as u64).to_be_bytes());
        context.update(part);
    }
    context.sign().as_ref().first_chunk().copied().unwrap_or_default()
}

fn number(tag: Tag) -> i64 {
    i64::from_be_bytes(tag.first_chunk().copied().unwrap_or_default())
}

/// The first `octets` of an IPv4 address, also when it comes as IPv6, or an IPv6 /64.
fn network(address: IpAddr, octets: usize) -> Vec<u8> {
    match address.to_canonical() {
        IpAddr::V4(address) => address.octets().into_iter().take(octets).collect(),
        IpAddr::V6(address) => address.octets().into_iter().take(8).collect(),
    }
}

#[cfg(test)]
mod tests {
    use domain::Error;
    use uuid::Uuid;

    use super::*;
    use crate::testing::random;

    fn index(seed: u64) -> BlindIndex {
        BlindIndex::new(&ServerKey::generate(&random(seed))).unwrap()
    }

    fn address(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    #[test]
    fn an_address_is_found_in_any_case_with_its_own_key_only() -> Result<()> {
        let (index, email) = (index(1), Email::parse("Ann@Example.com")?);
        assert_eq!(index.email(&email), index.email(&Email::parse("ann@example.COM")?));
        assert_ne!(index.email(&email), index.email(&Email::parse("bob@example.com")?));
        assert_ne!(index.email(&email), index.throttle_account(&email));
        assert_ne!(index.email(&email), self::index(2).email(&email));
        Ok(())
    }

    #[test]
    fn tags_of_places_are_per_account_and_those_of_cells_are_not() {
        let index = index(1);
        let [ann, bob] = [1, 2].map(|id| AccountId::from_uuid(Uuid::from_u128(id)));
        assert_ne!(index.place(ann, b"2267057"), index.place(bob, b"2267057"));
        assert_eq!(index.place(ann, b"2267057"), index.place(ann, b"2267057"));
        assert_ne!(index.cell(b"2267057"), index.place(ann, b"2267057"));
    }

    #[test]
    fn a_network_is_what_one_subscriber_has() {
        let tag = |text| index(1).throttle_network(address(text));
        assert_eq!(tag("192.0.2.1"), tag("::ffff:192.0.2.1"));
        assert_ne!(tag("192.0.2.1"), tag("192.0.2.2"));
        assert_eq!(tag("2001:db8::1"), tag("2001:db8::ffff:1"));
        assert_ne!(tag("2001:db8::1"), tag("2001:db8:0:1::1"));
    }

    #[test]
    fn a_client_is_its_prefix_and_its_user_agent() {
        let tag = |text, agent| index(1).client(address(text), agent);
        assert_eq!(tag("192.0.2.1", "app/1"), tag("192.0.2.200", "app/1"));
        assert_ne!(tag("192.0.2.1", "app/1"), tag("192.0.3.1", "app/1"));
        assert_ne!(tag("192.0.2.1", "app/1"), tag("192.0.2.1", "app/2"));
    }

    #[test]
    fn boundaries_between_parts_count() -> Result<(), Error> {
        let index = index(1);
        assert_ne!(tag(&index.cell, &[b"ab", b"c"]), tag(&index.cell, &[b"a", b"bc"]));
        Ok(())
    }
}
