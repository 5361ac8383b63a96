//! Types, rules and states of Fairweather: no I/O, no clock but [`clock`], no SQL, no HTTP.

pub mod clock;
pub mod coordinates;
pub mod error;
pub mod random;

pub use clock::{Clock, Timestamp};
pub use coordinates::Coordinates;
pub use error::{Error, Invalid, Result};
pub use random::Random;
