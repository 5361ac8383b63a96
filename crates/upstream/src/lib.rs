//! Everything that calls somebody else's server: one guarded HTTP client and the adapters over it, and
//! SMTP. No SQL.

pub mod address;
pub mod facebook;
pub mod form;
pub mod http;
pub mod openid;
#[doc(hidden)]
pub mod parsers;
pub mod smtp;
pub mod weather;
pub mod webhook;
