//! Types, rules and states of Fairweather: no I/O, no clock but [`clock`], no SQL, no HTTP.

pub mod clock;
pub mod coordinates;
pub mod cursor;
pub mod error;
pub mod favourite;
pub mod ids;
pub mod position;
pub mod random;
pub mod text;

pub use clock::{Clock, Timestamp};
pub use coordinates::Coordinates;
pub use error::{Error, Invalid, Result};
pub use ids::{AccountId, FavouriteId, SessionId};
pub use random::Random;
