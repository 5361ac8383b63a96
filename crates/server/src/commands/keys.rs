//! `keys`: those of other services, the key ring, and the keys that sign access tokens.

use std::path::{Path, PathBuf};

use clap::Subcommand;
use domain::{Error, Result};
use vault::Ring;
use vault::ring::{Change, RingKeyId};

use super::{api_keys, print};
use crate::start::{KEY_RING, Setup, open, ring_file};

#[derive(Subcommand)]
pub enum Command {
    /// Credentials of your own services
    #[command(
        subcommand,
        after_help = "Example: fairweather keys api create newsletter --scope forecasts:read --days 365"
    )]
    Api(api_keys::Command),
    /// The key ring, which wraps all other keys
    #[command(subcommand, after_help = "Example: fairweather keys ring rotate")]
    Ring(RingCommand),
    /// The keys that sign access tokens; they rotate by themselves every 30 days
    #[command(subcommand, after_help = "Example: fairweather keys signing list")]
    Signing(SigningCommand),
}

#[derive(Subcommand)]
pub enum RingCommand {
    /// Show the ids and states of its keys
    #[command(after_help = "Example: fairweather keys ring list")]
    List,
    /// Make a new key the active one; servers on this data folder follow within seconds and wrap everything anew
    #[command(after_help = "Example: fairweather keys ring rotate --data /var/lib/fairweather")]
    Rotate,
    /// Add a key that does not wrap yet: the first step where several nodes have copies of the ring
    #[command(after_help = "Example: fairweather keys ring add")]
    Add,
    /// Make another key of the ring the active one: the second step, when all nodes have the new ring
    #[command(after_help = "Example: fairweather keys ring activate 1f0c22aa")]
    Activate { id: String },
    /// Wrap anew what the active key did not wrap: a running server does it by itself
    #[command(after_help = "Example: fairweather keys ring rewrap")]
    Rewrap,
    /// Drop the retired keys, when nothing is wrapped by them any more; older backups cannot be read without them
    #[command(after_help = "Example: fairweather keys ring forget")]
    Forget,
}

#[derive(Subcommand)]
pub enum SigningCommand {
    /// Show ids and states: pending, active, retiring
    #[command(after_help = "Example: fairweather keys signing list")]
    List,
    /// Publish a new key, which signs after ten minutes
    #[command(after_help = "Example: fairweather keys signing rotate")]
    Rotate,
    /// Remove a key at once, because others may know it: its tokens count no more, and their holders refresh
    #[command(after_help = "Example: fairweather keys signing remove CdRxYL7…")]
    Remove { kid: String },
}

pub async fn run(setup: Setup, command: Command) -> Result<()> {
    match command {
        Command::Api(command) => api_keys::run(&setup, command).await,
        Command::Ring(RingCommand::List) => print(&listed(&read(&setup)?)),
        Command::Ring(RingCommand::Rotate) => {
            let (change, ring) = begin(&setup).await?;
            let rotated = ring.rotated(&setup.random)?;
            change.finish(&rotated, &setup.random)?;
            print(&format!(
                "{} wraps from now on; keep a copy of the new ring elsewhere\n",
                rotated.active_id()
            ))
        }
        Command::Ring(RingCommand::Add) => {
            let (change, ring) = begin(&setup).await?;
            let (ring, id) = ring.with_standby(&setup.random)?;
            change.finish(&ring, &setup.random)?;
            print(&format!(
                "{id} was added; give the ring to all nodes, then: fairweather keys ring activate {id}\n"
            ))
        }
        Command::Ring(RingCommand::Activate { id }) => {
            let (change, ring) = begin(&setup).await?;
            let ring = ring.activated(&id).map_err(|error| match error {
                Error::NotFound => {
                    Error::internal(format!("the ring holds no key {id} that could be activated"))
                }
                other => other,
            })?;
            change.finish(&ring, &setup.random)?;
            print(&format!("{id} wraps from now on; give the ring to all nodes\n"))
        }
        Command::Ring(RingCommand::Rewrap) => {
            let (app, _lock) = open(&setup).await?;
            print(&format!("{} keys were wrapped anew\n", app.rewrap().await?))
        }
        Command::Ring(RingCommand::Forget) => forget(&setup).await,
        Command::Signing(command) => signing(&setup, command).await,
    }
}

async fn signing(setup: &Setup, command: SigningCommand) -> Result<()> {
    let (app, _lock) = open(setup).await?;
    match command {
        SigningCommand::List => {
            for key in app.list_signing_keys().await? {
                let (made, since) = (key.created_at.rfc3339(), key.since.rfc3339());
                print(&format!("{}\t{}\tsince {since}\tmade {made}\n", key.kid, key.state.name()))?;
            }
            Ok(())
        }
        SigningCommand::Rotate => {
            app.begin_key_rotation().await?;
            print("a new key is published; it signs in ten minutes\n")
        }
        SigningCommand::Remove { kid } => {
            app.remove_signing_key(&kid).await.map_err(|error| match error {
                Error::NotFound => Error::internal(format!("there is no key {kid}")),
                other => other,
            })?;
            print(&format!("{kid} is gone, and tokens that it signed count no more\n"))
        }
    }
}

async fn forget(setup: &Setup) -> Result<()> {
    // Held all the time: a key that came in between would be dropped with everything that it had wrapped by then.
    let (change, ring) = begin(setup).await?;
    let (app, _lock) = open(setup).await?;
    app.rewrap().await?;
    let left = app.wrapped_by_others().await?;
    if !left.is_empty() {
        let left: Vec<_> = left.iter().map(|(table, count)| format!("{count} in {table}")).collect();
        return Err(Error::internal(format!(
            "values are still wrapped by a retired key ({}); they expire within a day: try again then",
            left.join(", ")
        )));
    }
    let dropped: Vec<_> = ring.retired_ids().map(|id: RingKeyId| id.to_string()).collect();
    if dropped.is_empty() {
        return print("forgotten: none\n");
    }
    change.finish(&ring.without_retired(), &setup.random)?;
    app.note_forgotten_ring_keys().await?;
    print(&format!("forgotten: {}\n", dropped.join(" ")))
}

/// Waits until no other command changes the ring, and reads it.
async fn begin(setup: &Setup) -> Result<(Change, Ring)> {
    let file = changeable(setup)?;
    let begun = {
        let file = file.clone();
        tokio::task::spawn_blocking(move || Change::begin(&file))
    };
    begun.await.map_err(Error::internal)??.ok_or_else(|| missing(&file))
}

fn read(setup: &Setup) -> Result<Ring> {
    let file = changeable(setup)?;
    Ring::load(&file)?.ok_or_else(|| missing(&file))
}

/// The ring's file: what is in the environment cannot be changed from here.
fn changeable(setup: &Setup) -> Result<PathBuf> {
    let file = ring_file(&setup.config);
    if std::env::var_os(KEY_RING).is_some() {
        return Err(Error::internal(format!(
            "the key ring comes from {KEY_RING}, which a command cannot change: write its entries into {}, a line \
             each, unset the variable, run this, and put the new lines back",
            file.display()
        )));
    }
    Ok(file)
}

fn missing(file: &Path) -> Error {
    Error::internal(format!("there is no key ring {}", file.display()))
}

fn listed(ring: &Ring) -> String {
    let retired: String = ring.retired_ids().map(|id| format!("{id}\tretired\n")).collect();
    format!("{}\tactive\n{retired}", ring.active_id())
}
