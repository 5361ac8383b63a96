//! The cryptography of Fairweather: keys and what they seal, sign, hash and index.
//!
//! Built on aws-lc (AEAD, HMAC, HKDF, SHA-256, ECDSA) and on argon2. Everything random comes from a passed
//! [`domain::Random`], with two exceptions that the library keeps to itself: the nonce of an ECDSA signature
//! and the making of an ECDSA key. Secrets are wiped when dropped and hidden by `Debug`.
//!
//! | to | use |
//! |---|---|
//! | keep a column from whoever reads the database | [`seal::DataKey`], one per account |
//! | keep those keys | [`ring::Ring`], the one secret outside the database |
//! | find a row by something sealed | [`index::BlindIndex`] |
//! | believe only what our own nodes say | [`mac::MacKey`] |
//! | say who a request is from | [`access`], signed with [`signing::KeySet`] |
//! | stay signed in | [`refresh_token::RefreshKey`] |
//! | hand out a secret and store its hash | [`secret::Secret`] |
//! | check a code of an authenticator app | [`totp::TotpSecret`] |
//! | check a passkey | [`webauthn::RelyingParty`] |
//! | believe what a provider says of who somebody is | [`id_token`], with the provider's [`jwks::JwkSet`] |
//! | bind a code to whoever began | [`pkce::Challenge`] |
//! | hash passwords without stalling requests | [`hashing::HashingPool`] |

pub mod access;
pub mod api_key;
pub mod app_secret;
mod crockford;
pub mod hashing;
pub mod id_token;
pub mod index;
pub mod jwks;
pub mod keeper;
pub mod mac;
mod object;
pub mod password;
pub mod pkce;
pub mod recovery_code;
pub mod refresh_token;
pub mod ring;
pub mod rotation;
pub mod seal;
pub mod secret;
pub mod server_key;
pub mod signing;
pub mod totp;
pub mod webauthn;
pub mod webhook;

pub use access::Rejection;
pub use hashing::HashingPool;
pub use index::BlindIndex;
pub use keeper::RingKeeper;
pub use mac::MacKey;
pub use refresh_token::RefreshKey;
pub use ring::Ring;
pub use seal::{Context, DataKey};
pub use secret::Secret;
pub use server_key::ServerKey;
pub use signing::{KeySet, SigningKey};

#[cfg(test)]
mod testing {
    use domain::Random;

    /// A reproducible source for tests, different for each seed.
    pub fn random(seed: u64) -> Random {
        let mut state = seed;
        Random::new(move |bytes| {
            for byte in bytes {
                state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                *byte = (state >> 56) as u8;
            }
        })
    }
}
