//! Stories about several nodes on one PostgreSQL, which hear of one another by LISTEN and NOTIFY or by Redis.

mod cache;
mod credentials;
mod cuts;
mod elsewhere;
mod ends;
mod factors;
mod forgery;
mod limits;
mod metrics;
mod pgbouncer;
mod sessions;
mod streams;
mod weather;

use testkit::{Client, Events};

/// A stream of a client that has begun.
async fn follow(client: &Client) -> Events {
    let mut events = client.get("/v1/stream").follow().await;
    events.hello().await;
    events
}
