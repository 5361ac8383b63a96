//! What concerns every request, one reason a file. [`crate::edge`] puts them in order.

pub mod headers;
pub mod host;
pub mod observe;
pub mod problems;
pub mod timeout;
pub mod unread;
