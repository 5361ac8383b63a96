//! Stories about the whole product over HTTP, and about the binary itself.
//!
//! A story is an `async fn name(app: TestApp)` that reads like prose. `testkit::stamp!` runs it as
//! `sqlite::name` and, where the database could make a difference, as `postgres::name`.

mod accounts;
mod adopt;
mod binary;
mod commands;
mod cookies;
mod privacy;
mod sessions;
mod tokens;
mod unauthorised;
