//! Types, rules and states of Fairweather: no I/O, no clock but [`clock`], no SQL, no HTTP.

pub mod access;
pub mod account;
pub mod api_key;
pub mod change;
pub mod clock;
pub mod cookie;
pub mod coordinates;
pub mod cursor;
pub mod device;
pub mod email;
pub mod error;
pub mod favourite;
pub mod forecast;
pub mod identity;
pub mod ids;
pub mod mutation;
pub mod oauth_cookie;
pub mod password;
pub mod position;
pub mod proof;
pub mod random;
pub mod refresh;
pub mod return_path;
pub mod session;
pub mod text;
pub mod throttle;
pub mod webhook;

pub use clock::{Clock, Timestamp};
pub use coordinates::Coordinates;
pub use error::{Error, Invalid, Result};
pub use ids::{AccountId, FavouriteId, IdentityId, PasskeyId, SessionId};
pub use random::Random;
