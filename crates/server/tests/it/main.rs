//! Stories about the whole product over HTTP, and about the binary itself.
//!
//! A story is an `async fn name(app: TestApp)` that reads like prose. `testkit::stamp!` runs it as
//! `sqlite::name` and, where the database could make a difference, as `postgres::name`.

mod accounts;
mod adopt;
mod api_keys;
mod audit;
mod bad_input;
mod binary;
mod causes;
mod changes;
mod commands;
mod compaction;
mod conditions;
mod conflicts;
mod cookies;
mod deployment;
mod documents;
mod eras;
mod erasure;
mod factors;
mod faults;
mod favourites;
mod first_start;
mod forecast_fetching;
mod forecast_sources;
mod forecasts;
mod idempotency;
mod key_rotation;
mod limits;
mod mails;
mod nodes;
mod operators;
mod passkeys;
mod places;
mod privacy;
mod relocation;
mod round_trips;
mod session_list;
mod sessions;
mod shared_weather;
mod shutdown;
mod step_up;
mod stream_sessions;
mod stream_tickets;
mod stream_windows;
mod streams;
mod sync_batch;
mod sync_refusals;
mod tokens;
mod unauthorised;
mod upgrades;
mod webhooks;
mod websocket;
