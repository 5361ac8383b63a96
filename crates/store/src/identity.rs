//! Which database a URL leads to: a pooler and the server itself must not lead to two.

use tokio_postgres::Client;

use crate::connect::{Target, unreachable};
use crate::error::Result;

/// The cluster and the database in it, which no other database is called.
const IDENTITY: &str = "SELECT concat_ws('/',
    (SELECT system_identifier FROM pg_control_system()),
    (SELECT oid FROM pg_database WHERE datname = current_database()))";

/// Names a database among all.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity(String);

impl Identity {
    /// Of the database to which this URL leads, on a connection of its own.
    ///
    /// # Errors
    /// When it cannot be reached.
    pub async fn at(url: &str) -> Result<Self> {
        let (client, _driver) = Target::parse(url)?.connect().await?;
        Self::of(&client).await
    }

    pub(crate) async fn of(client: &Client) -> Result<Self> {
        let row = client.query_typed_one(IDENTITY, &[]).await.map_err(|error| unreachable(&error))?;
        row.try_get(0).map(Self).map_err(|error| unreachable(&error))
    }
}
