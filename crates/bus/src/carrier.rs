//! What brings messages from node to node. Both carriers bring a node its own messages too, which is how it knows
//! that they arrive.

use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use domain::{Error, Result};
use store::{Identity, notify};

use crate::redis::{self, Redis};

/// How nodes of an installation hear of one another.
#[derive(Clone, Default)]
pub enum Carrier {
    /// There is one node.
    #[default]
    None,
    /// LISTEN and NOTIFY. `url` leads to PostgreSQL itself, not to a pooler. `pooled` is the URL by which the data is
    /// reached, if that is another.
    Postgres { url: String, pooled: Option<String> },
    /// Publish and subscribe of Redis or Valkey.
    Redis { url: String },
}

/// What a carrier is reached by.
pub(crate) enum Address {
    Postgres { url: String, pooled: Option<String> },
    Redis(Arc<Redis>),
}

/// Why a node does not hear the others.
pub(crate) enum Trouble {
    /// The carrier is away, or was.
    Away(Error),
    /// Whoever is told there uses another database.
    Elsewhere,
}

impl From<Error> for Trouble {
    fn from(error: Error) -> Self {
        Self::Away(error)
    }
}

/// Says messages.
pub(crate) enum Speaker {
    Postgres(notify::Notifier),
    Redis(redis::Publisher),
}

/// Hears messages.
pub(crate) enum Ear {
    Postgres(Box<notify::Listener>),
    Redis(redis::Subscription),
}

/// Bytes of a message in Redis, which would take far more: a reader should not wait long for one.
const LARGEST_IN_REDIS: usize = 64 * 1024;

impl Address {
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Postgres { .. } => "postgres",
            Self::Redis(_) => "redis",
        }
    }

    /// Bytes of a message.
    pub const fn largest(&self) -> usize {
        match self {
            // Notifications are text, so four characters stand for three bytes.
            Self::Postgres { .. } => notify::LARGEST / 4 * 3,
            Self::Redis(_) => LARGEST_IN_REDIS,
        }
    }

    pub async fn connect(&self) -> Result<(Speaker, Ear), Trouble> {
        match self {
            Self::Postgres { url, pooled } => {
                let (notifier, listener) = notify::connect(url).await.map_err(trouble)?;
                // A node hears itself in any database, so that it does says nothing of the others.
                if let Some(pooled) = pooled
                    && Identity::at(pooled).await.map_err(trouble)? != *notifier.database()
                {
                    return Err(Trouble::Elsewhere);
                }
                Ok((Speaker::Postgres(notifier), Ear::Postgres(Box::new(listener))))
            }
            Self::Redis(redis) => {
                let (publisher, subscription) = redis.connect().await?;
                Ok((Speaker::Redis(publisher), Ear::Redis(subscription)))
            }
        }
    }
}

impl Speaker {
    pub async fn say(&mut self, messages: &[Vec<u8>]) -> Result<()> {
        match self {
            Self::Postgres(notifier) => {
                let texts: Vec<String> =
                    messages.iter().map(|message| STANDARD_NO_PAD.encode(message)).collect();
                notifier.notify(&texts).await.map_err(trouble)
            }
            Self::Redis(publisher) => publisher.publish(messages).await,
        }
    }
}

impl Ear {
    /// The next message. Nothing is lost when the returned future is dropped before it is ready.
    pub async fn hear(&mut self) -> Result<Vec<u8>> {
        match self {
            // Whoever may use the database may notify; what is no message of ours is as good as an empty one.
            Self::Postgres(listener) => {
                let text = listener.next().await.map_err(trouble)?;
                Ok(STANDARD_NO_PAD.decode(text).unwrap_or_default())
            }
            Self::Redis(subscription) => subscription.next().await,
        }
    }
}

/// The store's own conversion logs each, which a server that stays away would repeat for ever.
fn trouble(error: store::Error) -> Error {
    Error::internal(error)
}
