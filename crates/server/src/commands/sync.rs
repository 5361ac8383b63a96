//! `sync`.

use clap::Subcommand;
use domain::{Error, Result};
use store::Store;

use super::print;
use crate::start::{Setup, lock};

#[derive(Subcommand)]
pub enum Command {
    /// Begin a new era after the database was put back to an older state: devices that know more take a new snapshot
    #[command(after_help = "Example: fairweather sync new-era --database postgres://localhost/fairweather")]
    NewEra,
}

pub async fn run(setup: Setup, command: Command) -> Result<()> {
    let Command::NewEra = command;
    let Setup { config, random, .. } = setup;
    let url = config.store_url()?;
    if url.file().is_some_and(|file| !file.exists()) {
        return Err(Error::internal(format!(
            "there is no database {url:?}, so no device knows anything of it"
        )));
    }
    // A server that holds a SQLite file would not see this; nodes on PostgreSQL do, with their next write.
    let _lock = if url.file().is_some() { Some(lock(&config.data)?) } else { None };
    let options = store::Options {
        url,
        readers: 1,
        postgres: store::PostgresOptions { connections: 1, ..config.store.postgres() },
        random: random.clone(),
        clock: domain::Clock::system(),
        on_commit: std::sync::Arc::new(|_| {}),
    };
    let store = Store::open(options).await?;
    store.begin_era(&random).await?;
    store.close().await;
    print("a new era has begun; each account enters it with its next change\n")
}
