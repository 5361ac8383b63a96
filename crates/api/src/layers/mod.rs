//! What every request passes, outermost first. Each layer has one reason.

pub mod headers;
pub mod host;
pub mod observe;
pub mod problems;
pub mod timeout;
