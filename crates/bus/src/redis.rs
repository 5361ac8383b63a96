//! Redis or Valkey, as a carrier of messages and as a cache that nodes share.

use std::future::Future;
use std::net::IpAddr;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use domain::{Error, Result};
use futures::StreamExt;
use redis::aio::{MultiplexedConnection, PubSub};
use redis::io::tcp::TcpSettings;
use redis::{Client, ConnectionAddr, ConnectionInfo, IntoConnectionInfo, RedisError};
use tokio::time::{Instant, timeout};

/// How long a server may take to accept a connection.
const CONNECT: Duration = Duration::from_secs(5);
/// How long the cache may take. The database is nearly as fast, so waiting longer gains nothing; much less would leave
/// out one that only had a busy moment.
const PATIENCE: Duration = Duration::from_millis(250);
/// How long a cache that failed or was slow is left out.
const LEFT_OUT: Duration = Duration::from_secs(5);

/// A server, and what of it belongs to this installation.
pub(crate) struct Redis {
    client: Client,
    /// Installations may share a server: what each calls its own begins with this.
    prefix: String,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    /// Lives as long as the carrier's.
    connection: Option<MultiplexedConnection>,
    left_out_until: Option<Instant>,
}

/// Says messages to all nodes.
pub(crate) struct Publisher {
    connection: MultiplexedConnection,
    channel: String,
}

/// Hears messages of all nodes.
pub(crate) struct Subscription(PubSub);

/// By which the URL says that nobody can listen in between: the word that PostgreSQL has for it.
const PLAIN: &str = "sslmode=disable";

/// The host on another machine to which the password and all news would travel in plain text although nobody said that
/// they may (`?sslmode=disable`).
pub fn plain_host(url: &str) -> Option<String> {
    let query = url.rsplit_once('?').map_or("", |(_, query)| query);
    if query.split(['&', '#']).any(|pair| pair == PLAIN) {
        return None;
    }
    match parse(url).ok()?.addr() {
        ConnectionAddr::Tcp(host, _) if !is_this_machine(host) => Some(host.clone()),
        _ => None,
    }
}

fn is_this_machine(name: &str) -> bool {
    name == "localhost" || name.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}

/// Without the library's text, which may repeat the URL, where a password stands.
fn parse(url: &str) -> Result<ConnectionInfo> {
    url.into_connection_info().map_err(|_| {
        let form = "must be redis://[user:password@]host:port[/database], or rediss://";
        domain::Invalid::new("--redis", "malformed", form).into()
    })
}

impl Redis {
    pub fn new(url: &str, prefix: String) -> Result<Self> {
        let server = parse(url)?;
        // A message is small and somebody waits for it: it must not wait for the next one to go along with.
        let server = server.set_tcp_settings(TcpSettings::default().set_nodelay(true));
        let client = Client::open(server).map_err(Error::internal)?;
        Ok(Self { client, prefix, state: Mutex::default() })
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub async fn connect(&self) -> Result<(Publisher, Subscription)> {
        let channel = format!("{}news", self.prefix);
        let begin = async {
            let mut subscription = self.client.get_async_pubsub().await?;
            subscription.subscribe(&channel).await?;
            let connection = self.client.get_multiplexed_async_connection().await?;
            Ok::<_, RedisError>((connection, subscription))
        };
        let (connection, subscription) = within(CONNECT, begin).await?;
        *self.state() = State { connection: Some(connection.clone()), left_out_until: None };
        Ok((Publisher { connection, channel }, Subscription(subscription)))
    }

    /// The carrier is gone, and what the cache was reached by with it.
    pub fn disconnected(&self) {
        self.state().connection = None;
    }

    fn usable(&self) -> Option<MultiplexedConnection> {
        let state = self.state();
        if state.left_out_until.is_some_and(|until| Instant::now() < until) {
            return None;
        }
        state.connection.clone()
    }

    /// Asks the cache unless it is left out.
    async fn ask<T: redis::FromRedisValue>(
        &self,
        commands: &redis::Pipeline,
        what: &'static str,
    ) -> Option<T> {
        let mut connection = self.usable()?;
        match within(PATIENCE, commands.query_async(&mut connection)).await {
            Ok(answer) => Some(answer),
            Err(error) => {
                self.state().left_out_until = Some(Instant::now() + LEFT_OUT);
                metrics::counter!("fairweather_shared_cache_failures_total", "what" => what).increment(1);
                tracing::debug!(%error, what, "the shared cache is left out for a while");
                None
            }
        }
    }

    pub async fn get(&self, keys: &[String]) -> Option<Vec<Option<Vec<u8>>>> {
        let mut commands = redis::pipe();
        for key in keys {
            commands.get(self.key(key));
        }
        self.ask(&commands, "get").await
    }

    pub async fn put(&self, entries: &[(String, Vec<u8>)], expiry: Duration) {
        let mut commands = redis::pipe();
        for (key, value) in entries {
            commands.set_ex(self.key(key), value.as_slice(), expiry.as_secs()).ignore();
        }
        self.ask::<()>(&commands, "put").await;
    }

    fn key(&self, key: &str) -> String {
        format!("{}{key}", self.prefix)
    }
}

impl Publisher {
    pub async fn publish(&mut self, messages: &[Vec<u8>]) -> Result<()> {
        let mut commands = redis::pipe();
        for message in messages {
            commands.publish(&self.channel, message.as_slice()).ignore();
        }
        within(CONNECT, commands.query_async(&mut self.connection)).await
    }
}

impl Subscription {
    pub async fn next(&mut self) -> Result<Vec<u8>> {
        match self.0.on_message().next().await {
            Some(message) => Ok(message.get_payload_bytes().to_vec()),
            None => Err(Error::internal("the connection ended")),
        }
    }
}

async fn within<T>(
    patience: Duration,
    work: impl Future<Output = std::result::Result<T, RedisError>>,
) -> Result<T> {
    match timeout(patience, work).await {
        Ok(Ok(done)) => Ok(done),
        Ok(Err(error)) => Err(Error::internal(error)),
        Err(_) => Err(Error::internal(format!("no answer within {patience:?}"))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn another_machine_is_not_reached_in_plain_text_by_accident() {
        let host = |url| plain_host(url).unwrap_or_default();
        assert_eq!(host("redis://:secret@10.0.0.7:6379"), "10.0.0.7");
        assert_eq!(host("redis://valkey/1?protocol=resp3"), "valkey");
        assert_eq!(host("redis://localhost.example.org"), "localhost.example.org");
        for sound in [
            "rediss://:secret@10.0.0.7:6379",
            "redis://valkey:6379?sslmode=disable",
            "redis://valkey:6379/1?protocol=resp3&sslmode=disable",
            "redis://localhost:6379",
            "redis://127.0.0.1",
            "redis://[::1]:6379",
            "unix:///run/redis.sock",
        ] {
            assert_eq!(host(sound), "", "{sound}");
            assert!(parse(sound).is_ok(), "{sound}");
        }
    }
}
