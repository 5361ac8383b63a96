//! `database`.

use std::io::{IsTerminal, Write, stderr};

use clap::Subcommand;
use domain::{Error, Invalid, Result};
use store::Url;
use store::relocation::{Moved, Progress, relocate};

use super::print;
use crate::start::Setup;

#[derive(Subcommand)]
pub enum Command {
    /// Move everything from a SQLite file into an empty PostgreSQL database; run it again when it was interrupted
    #[command(
        after_help = "Example: fairweather database move --from sqlite:/var/lib/fairweather/fairweather.db \
                      --to 'postgres://fairweather@db.example.org/fairweather?sslmode=verify-full'"
    )]
    Move(Move),
}

#[derive(clap::Args)]
pub struct Move {
    /// sqlite:PATH [default: the database in use by the configuration]
    #[arg(long, value_name = "URL")]
    from: Option<String>,
    /// postgres://…, a database with nothing in it; in the environment nobody reads its password off a list of processes
    #[arg(long, value_name = "URL", env = "FAIRWEATHER_MOVE_TO", hide_env_values = true)]
    to: String,
}

pub async fn run(setup: Setup, command: Command) -> Result<()> {
    let Command::Move(Move { from, to }) = command;
    let Setup { config, clock, random, .. } = setup;
    let from: Url = match from {
        Some(url) => parsed("--from", &url)?,
        None => config.store_url()?,
    };
    let to = parsed("--to", &to)?;
    let (Url::Sqlite(file), Url::Postgres(server)) = (&from, &to) else {
        return Err(Error::internal("a move goes from sqlite:PATH to postgres://…, in no other direction"));
    };
    if let Some(host) = to.plain_host() {
        return Err(Error::internal(format!(
            "{host} is another machine and nothing says that the connection is encrypted: add ?sslmode=verify-full to \
             the URL, or ?sslmode=disable if nobody can listen in between"
        )));
    }
    let moved = relocate(file, server, clock.now(), &random, tell).await?;
    print(&format!("{}{}", table(&moved), next(&to)))
}

fn parsed(flag: &'static str, url: &str) -> Result<Url> {
    url.parse().map_err(|_| Invalid::new(flag, "malformed", "must be postgres://… or sqlite:PATH").into())
}

/// One line per table, which grows on a terminal; elsewhere only its end is told.
fn tell(progress: Progress) {
    let Progress { table, rows, of } = progress;
    let is_done = rows >= of;
    let line = match (stderr().is_terminal(), is_done) {
        (true, false) => format!("\r{table}: {rows} of {of}"),
        (true, true) => format!("\r{table}: {rows} of {of}\n"),
        (false, true) => format!("{table}: {rows} of {of}\n"),
        (false, false) => return,
    };
    // Nobody who looks is no reason to stop.
    let _ = stderr().write_all(line.as_bytes());
}

fn table(moved: &[Moved]) -> String {
    let mut text =
        format!("{:<16} {:>10}  {}\n", "table", "rows", "SHA-256 of all rows, the same on both sides");
    for Moved { table, rows, checksum } in moved {
        text += &format!("{table:<16} {rows:>10}  {checksum}\n");
    }
    text
}

fn next(to: &Url) -> String {
    format!(
        "
All of it is in {to:?}. What is left to do:
  1. Copy the key ring (keys/ring in the data folder) to every node, or give it in FAIRWEATHER_KEY_RING:
     it is in no database, and without it nothing that is sealed can be read.
  2. Start the servers with --database on the new one. A new era begins; devices keep their cursors.
  3. Put the SQLite file away: a server that is started on it again would go another way from here.
"
    )
}
