//! Refresh tokens: `rt1.` and the base64url of account (16) ‖ session (16) ‖ generation (8) ‖ MAC (32).
//!
//! The MAC key comes from a server key and from a salt stored with the session, so neither the key ring nor
//! the database alone can forge one. A token is a function of what it says: the successor that was lost on
//! its way can be made again, to the byte, without having been stored.

use std::fmt;

use aws_lc_rs::hmac;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use domain::refresh::Generation;
use domain::{AccountId, Random, Result, SessionId};
use uuid::Uuid;
use zeroize::Zeroizing;

use crate::server_key::ServerKey;

const PREFIX: &str = "rt1.";
const BODY_LENGTH: usize = 16 + 16 + 8;
const MAC_LENGTH: usize = 32;
const LENGTH: usize = BODY_LENGTH + MAC_LENGTH;
/// 72 bytes fill base64 exactly: there is one spelling of a token and no padding.
const TEXT_LENGTH: usize = PREFIX.len() + LENGTH / 3 * 4;

/// 256 random bits, stored with each session.
#[derive(Clone)]
pub struct SessionSalt([u8; 32]);

impl SessionSalt {
    /// A fresh one for a new session.
    pub fn generate(random: &Random) -> Self {
        Self(random.bytes())
    }

    /// A stored one.
    pub const fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// What to store.
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl fmt::Debug for SessionSalt {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("SessionSalt(…)")
    }
}

/// What a token claims. Nothing of it is true before [`RefreshKey::verify`]; the session's row, and with it
/// the salt, is looked up by it first.
#[derive(Clone)]
pub struct RefreshToken {
    account: AccountId,
    session: SessionId,
    generation: Generation,
    mac: [u8; MAC_LENGTH],
}

impl RefreshToken {
    /// Reads exactly the form that we write; `None` for every other text, without a look-up.
    pub fn parse(text: &str) -> Option<Self> {
        if text.len() != TEXT_LENGTH {
            return None;
        }
        let mut bytes = [0; LENGTH];
        let encoded = text.strip_prefix(PREFIX)?;
        if URL_SAFE_NO_PAD.decode_slice(encoded, &mut bytes).ok()? != LENGTH {
            return None;
        }
        let (account, rest) = bytes.split_first_chunk::<16>()?;
        let (session, rest) = rest.split_first_chunk::<16>()?;
        let (generation, mac) = rest.split_first_chunk::<8>()?;
        Some(Self {
            account: AccountId::from_uuid(Uuid::from_bytes(*account)),
            session: SessionId::from_uuid(Uuid::from_bytes(*session)),
            generation: Generation::new(u64::from_be_bytes(*generation))?,
            mac: *mac.first_chunk()?,
        })
    }

    /// Whose session it claims.
    pub const fn account(&self) -> AccountId {
        self.account
    }

    /// Which session it claims.
    pub const fn session(&self) -> SessionId {
        self.session
    }

    /// Which generation it claims to be.
    pub const fn generation(&self) -> Generation {
        self.generation
    }
}

impl fmt::Debug for RefreshToken {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("RefreshToken")
            .field("session", &self.session)
            .field("generation", &self.generation)
            .finish_non_exhaustive()
    }
}

/// Makes and verifies refresh tokens.
#[derive(Debug)]
pub struct RefreshKey(ServerKey);

impl RefreshKey {
    /// Makes tokens with keys derived from this one.
    pub const fn new(key: ServerKey) -> Self {
        Self(key)
    }

    /// The token of a generation; always the same one for the same arguments.
    pub fn mint(
        &self,
        account: AccountId,
        session: SessionId,
        generation: Generation,
        salt: &SessionSalt,
    ) -> Result<Zeroizing<String>> {
        let body = body(account, session, generation);
        let mac = hmac::sign(&self.0.derive(&salt.0, "refresh token")?, &body);
        let mut bytes = Zeroizing::new([0; LENGTH]);
        for (place, byte) in bytes.iter_mut().zip(body.iter().chain(mac.as_ref())) {
            *place = *byte;
        }
        let mut text = Zeroizing::new(String::with_capacity(TEXT_LENGTH));
        text.push_str(PREFIX);
        URL_SAFE_NO_PAD.encode_string(*bytes, &mut text);
        Ok(text)
    }

    /// Whether we made this token, for the session whose salt this is. Compares in constant time.
    pub fn verify(&self, token: &RefreshToken, salt: &SessionSalt) -> Result<bool> {
        let body = body(token.account, token.session, token.generation);
        Ok(hmac::verify(&self.0.derive(&salt.0, "refresh token")?, &body, &token.mac).is_ok())
    }
}

fn body(account: AccountId, session: SessionId, generation: Generation) -> [u8; BODY_LENGTH] {
    let mut body = [0; BODY_LENGTH];
    let parts = account.uuid().into_bytes().into_iter().chain(session.uuid().into_bytes());
    for (place, byte) in body.iter_mut().zip(parts.chain(generation.number().to_be_bytes())) {
        *place = byte;
    }
    body
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::testing::random;

    fn key(seed: u64) -> RefreshKey {
        RefreshKey::new(ServerKey::generate(&random(seed)))
    }

    fn mint(account: u128, session: u128, generation: u64) -> String {
        let (account, session) = (Uuid::from_u128(account), Uuid::from_u128(session));
        key(1)
            .mint(
                AccountId::from_uuid(account),
                SessionId::from_uuid(session),
                Generation::new(generation).unwrap(),
                &SessionSalt::generate(&random(2)),
            )
            .unwrap()
            .to_string()
    }

    proptest! {
        #[test]
        fn a_token_reads_back_and_is_the_same_again(
            account: u128, session: u128, generation in 1..=i64::MAX as u64,
        ) {
            let text = mint(account, session, generation);
            prop_assert_eq!(&text, &mint(account, session, generation));
            let token = RefreshToken::parse(&text).unwrap();
            prop_assert_eq!(token.account.uuid().as_u128(), account);
            prop_assert_eq!(token.session.uuid().as_u128(), session);
            prop_assert_eq!(token.generation.number(), generation);
            prop_assert!(key(1).verify(&token, &SessionSalt::generate(&random(2))).unwrap());
            prop_assert!(!key(2).verify(&token, &SessionSalt::generate(&random(2))).unwrap());
            prop_assert!(!key(1).verify(&token, &SessionSalt::generate(&random(3))).unwrap());
        }

        #[test]
        fn no_character_may_change(generation in 1..1000_u64, at in 4..TEXT_LENGTH, to in "[A-Za-z0-9_-]") {
            let text = mint(1, 2, generation);
            let mut forged = text.clone();
            forged.replace_range(at..=at, &to);
            prop_assume!(forged != text);
            if let Some(token) = RefreshToken::parse(&forged) {
                prop_assert!(!key(1).verify(&token, &SessionSalt::generate(&random(2))).unwrap());
            }
        }

        #[test]
        fn any_text_is_read_without_harm(text in ".{0,200}") {
            prop_assert!(RefreshToken::parse(&text).is_none());
        }
    }

    #[test]
    fn other_spellings_are_refused() {
        let text = mint(1, 2, 3);
        for bad in [
            String::new(),
            text.replace("rt1.", "rt2."),
            text.replace("rt1.", "RT1."),
            format!("{text}="),
            format!(" {}", &text[..text.len() - 1]),
            text[..text.len() - 1].to_owned(),
            format!("{}+", &text[..text.len() - 1]),
            mint(1, 2, 3)[4..].to_owned(),
        ] {
            assert!(RefreshToken::parse(&bad).is_none(), "{bad}");
        }
        let zero = format!("rt1.{}", "A".repeat(96));
        assert!(RefreshToken::parse(&zero).is_none(), "there is no generation 0");
    }
}
