//! The store's contract, held against both databases.
//!
//! Each test is an `async fn name(store: TestStore)` that `stamp!` runs as `sqlite::name` on a file of its own
//! and as `postgres::name` in a database of its own, so that the two cannot drift apart.

#[macro_use]
mod harness;
mod callers;
mod changes;
mod own_server;
mod pooler;
mod test_store;
mod writer;

mod accounts;
mod api_keys;
mod audit;
mod cells;
mod claims;
mod connections;
mod durability;
mod eras;
mod factors;
mod favourites;
mod hints;
mod identities;
mod mail;
mod migrations;
mod oauth;
mod password_resets;
mod receipts;
mod registrations;
mod relocation;
mod secrets;
mod sessions;
mod statements;
mod sync;
mod throttles;
mod tickets;
mod transactions;
mod webhooks;
