//! `keys api`: credentials of a company's own services.

use app::App;
use app::api_keys::{Listed, NewKey};
use app::audit::Actor;
use clap::Subcommand;
use domain::api_key::Scopes;
use domain::{Error, Result, Timestamp};
use uuid::Uuid;

use super::print;
use crate::start::{Setup, open};

#[derive(Subcommand)]
pub enum Command {
    /// Make a key and print it, this once
    #[command(after_help = "Scopes: forecasts:read accounts:read audit:read webhooks:manage\n\
                      Example: fairweather keys api create newsletter --scope forecasts:read --days 365")]
    Create {
        /// What you call it
        name: String,
        /// What it may do; give it several times for several
        #[arg(long = "scope", value_name = "SCOPE", required = true)]
        scopes: Vec<String>,
        /// Requests a minute [default: 600]
        #[arg(long, value_name = "NUMBER")]
        per_minute: Option<u32>,
        /// Days until it expires; for ever when left out
        #[arg(long, value_name = "DAYS")]
        days: Option<u32>,
    },
    /// List keys: id, how it begins, name, scopes, made, last used, expires
    List,
    /// Revoke a key
    #[command(after_help = "Example: fairweather keys api revoke 0199aaaa-bbbb-7ccc-8ddd-eeeeeeeeeeee")]
    Revoke { id: Uuid },
}

pub async fn run(setup: &Setup, command: Command) -> Result<()> {
    let (app, _lock) = open(setup).await?;
    match command {
        Command::Create { name, scopes, per_minute, days } => {
            let new = NewKey { name, scopes: Scopes::asked(&scopes)?, per_minute, days };
            let made = app.make_api_key(None, Actor::CommandLine, new).await?;
            print(&format!("{}\n", *made.secret))
        }
        Command::List => list(&app).await,
        Command::Revoke { id } => {
            let removed = app.remove_api_key(Actor::CommandLine, id).await;
            removed.map_err(|error| match error {
                Error::NotFound => Error::internal(format!("there is no key with the id {id}")),
                other => other,
            })?;
            print(&format!("{id} is revoked\n"))
        }
    }
}

async fn list(app: &App) -> Result<()> {
    let or_never = |at: Option<Timestamp>| at.map_or_else(|| String::from("never"), Timestamp::rfc3339);
    for Listed { id, hint, name, scopes, created_at, used_at, expires_at, .. } in app.all_api_keys().await? {
        let (made, used, expires) = (created_at.rfc3339(), or_never(used_at), or_never(expires_at));
        print(&format!("{id}\t{hint}…\t{name}\t{scopes}\t{made}\t{used}\t{expires}\n"))?;
    }
    Ok(())
}
