//! What nodes tell one another through PostgreSQL: LISTEN and NOTIFY on a connection of their own.
//!
//! A NOTIFY takes a lock of the whole server at its commit, so it is never part of a person's transaction. The
//! connection listens for as long as it lives, which a pooler that lends connections by transaction does not allow.

use std::collections::VecDeque;
use std::future::poll_fn;

use tokio_postgres::{AsyncMessage, Client, Connection, Socket, Statement};

use crate::connect::{Target, unreachable};
use crate::error::{Error, Result};
use crate::identity::Identity;
use crate::tls::Encrypted;

/// By which an operator, or a test, finds the connection among others.
pub const APPLICATION_NAME: &str = "fairweather-bus";
/// Characters of one notification: PostgreSQL takes fewer than 8000 bytes.
pub const LARGEST: usize = 7_900;

/// One installation uses a database, so the name need not differ between installations.
const LISTEN: &str = "LISTEN fairweather";
const NOTIFY: &str = "SELECT pg_notify('fairweather', payload) FROM unnest($1::text[]) AS payload";

/// Speaks. Its words leave only while somebody awaits [`Listener::next`], on which the connection lives.
pub struct Notifier {
    client: Client,
    notify: Statement,
    database: Identity,
}

/// Hears what any node says, this one included.
pub struct Listener {
    connection: Connection<Socket, Encrypted<Socket>>,
    heard: VecDeque<String>,
}

/// Connects and begins to listen.
pub async fn connect(url: &str) -> Result<(Notifier, Listener)> {
    let Target { mut config, tls, .. } = Target::parse(url)?;
    config.application_name(APPLICATION_NAME);
    let (client, connection) = config.connect(tls).await.map_err(|error| unreachable(&error))?;
    let mut listener = Listener { connection, heard: VecDeque::new() };
    let begin = async {
        client.batch_execute(LISTEN).await.map_err(|error| unavailable(&error))?;
        let notify = client.prepare(NOTIFY).await.map_err(|error| unavailable(&error))?;
        Ok::<_, Error>((notify, Identity::of(&client).await?))
    };
    let (notify, database) = tokio::select! {
        begun = begin => begun?,
        error = listener.drive() => return Err(error),
    };
    Ok((Notifier { client, notify, database }, listener))
}

impl Notifier {
    /// Where it is heard.
    pub const fn database(&self) -> &Identity {
        &self.database
    }

    /// Says this to every node in one transaction.
    pub async fn notify(&self, payloads: &[String]) -> Result<()> {
        let said = self.client.execute(&self.notify, &[&payloads]).await;
        said.map(drop).map_err(|error| unavailable(&error))
    }
}

impl Listener {
    /// What was said next. Nothing is lost when the returned future is dropped before it is ready.
    pub async fn next(&mut self) -> Result<String> {
        loop {
            if let Some(heard) = self.heard.pop_front() {
                return Ok(heard);
            }
            self.message().await?;
        }
    }

    /// Keeps the connection going until it ends.
    async fn drive(&mut self) -> Error {
        loop {
            if let Err(error) = self.message().await {
                return error;
            }
        }
    }

    async fn message(&mut self) -> Result<()> {
        match poll_fn(|context| self.connection.poll_message(context)).await {
            Some(Ok(AsyncMessage::Notification(said))) => {
                self.heard.push_back(said.payload().to_owned());
                Ok(())
            }
            // Notices, and whatever else a later library may pass on.
            Some(Ok(_)) => Ok(()),
            Some(Err(error)) => Err(unavailable(&error)),
            None => Err(Error::Unavailable(String::from("the connection ended"))),
        }
    }
}

fn unavailable(error: &tokio_postgres::Error) -> Error {
    Error::Unavailable(error.to_string())
}
