//! REST, one file per noun: types, documentation, handlers.

pub mod api_keys;
pub mod auth;
pub mod changes;
pub mod email;
pub mod factors;
pub mod favourites;
pub mod forecasts;
pub mod identities;
pub mod mailbox;
pub mod me;
pub mod oauth;
pub mod operator;
pub mod passkeys;
pub mod password;
pub mod places;
pub mod sessions;
pub mod streams;
pub mod sync;
pub mod system;
mod webauthn;
pub mod webhooks;
