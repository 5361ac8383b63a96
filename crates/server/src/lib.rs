//! Configuration, wiring, command line, telemetry, shutdown. No rules.

pub mod commands;
pub mod config;
mod connections;
pub mod sign_in_providers;
pub mod start;
pub mod telemetry;

pub use config::Config;
pub use connections::Bounds;
pub use start::{Mode, Running, Setup, start, system_random};
