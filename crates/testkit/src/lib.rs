//! What tests are made of: fakes of remote parties with faults on request, and the whole application on a
//! database of its own with a clock that stands still. No production code.

#[cfg(feature = "app")]
pub mod app;
#[cfg(feature = "app")]
pub mod authenticator;
#[cfg(feature = "app")]
pub mod backups;
#[cfg(feature = "app")]
pub mod certified;
#[cfg(feature = "app")]
pub mod clients;
#[cfg(feature = "app")]
pub mod cluster;
#[cfg(feature = "app")]
pub mod databases;
#[cfg(feature = "app")]
pub mod events;
#[cfg(feature = "app")]
pub mod facebook;
#[cfg(feature = "app")]
pub mod identity_provider;
#[cfg(feature = "app")]
pub mod nodes;
#[cfg(feature = "app")]
pub mod pgbouncer;
#[cfg(feature = "app")]
pub mod ports;
#[cfg(feature = "app")]
pub mod process;
pub mod provider;
mod provider_wire;
#[cfg(feature = "app")]
pub mod proxy;
pub mod receiver;
#[cfg(feature = "app")]
pub mod redis;
#[cfg(feature = "app")]
pub mod relay;
#[cfg(feature = "app")]
pub mod smtp;
#[cfg(feature = "app")]
pub mod sockets;
#[cfg(feature = "app")]
pub mod totp;

#[cfg(feature = "app")]
pub use app::TestApp;
#[cfg(feature = "app")]
pub use authenticator::Authenticator;
#[cfg(feature = "app")]
pub use clients::{Call, Client, Response};
#[cfg(feature = "app")]
pub use cluster::Cluster;
#[cfg(feature = "app")]
pub use events::{Event, Events};
#[cfg(feature = "app")]
pub use nodes::Nodes;
#[cfg(feature = "app")]
pub use process::Process;
#[cfg(feature = "app")]
pub use proxy::Proxy;
pub use receiver::{Manner, WebhookReceiver};
#[cfg(feature = "app")]
pub use redis::RedisServer;
#[cfg(feature = "app")]
pub use relay::Relay;
#[cfg(feature = "app")]
pub use sockets::Socket;
