//! The command line: one file per command.

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::{Parser, Subcommand};
use domain::{Clock, Result};

use crate::config::{Config, Flags};
use crate::connections::Bounds;
use crate::start::{Mode, Setup, system_random};

mod accounts;
mod api_keys;
mod database;
mod doctor;
mod keys;
mod migrate;
mod places;
mod privacy;
mod ready;
mod serve;
mod sync;

/// The backend of a weather or travel app in one binary: accounts, favourites, forecasts, sync.
#[derive(Parser)]
#[command(name = "fairweather", version, propagate_version = true, after_help = EXAMPLES)]
pub struct Cli {
    #[command(subcommand)]
    command: Command,
    #[command(flatten)]
    common: Common,
}

const EXAMPLES: &str = "Examples:
  fairweather dev
  fairweather serve --config /etc/fairweather.toml --public-url https://weather.example.org
  fairweather doctor --data /var/lib/fairweather

Exit codes: 0 done, 1 failed, 2 wrong usage. Results go to stdout, logs to stderr.
Each setting is also an environment variable: weather.cache_mib is FAIRWEATHER_WEATHER__CACHE_MIB.";

/// What every command understands.
#[derive(clap::Args, Clone, Default)]
struct Common {
    /// Configuration file (TOML)
    #[arg(long, global = true, value_name = "FILE", env = "FAIRWEATHER_CONFIG")]
    config: Option<PathBuf>,
    /// Folder for the database, keys and caches [default: .fairweather]
    #[arg(long, global = true, value_name = "DIR")]
    data: Option<PathBuf>,
    /// Address to listen on; port 0 takes a free one and prints it [default: 127.0.0.1:8080]
    #[arg(long, global = true, value_name = "ADDR:PORT")]
    listen: Option<SocketAddr>,
    /// postgres://… or sqlite:PATH [default: a SQLite file in the data folder]
    #[arg(long, global = true, value_name = "URL")]
    database: Option<String>,
    /// Redis or Valkey that several nodes share, e.g. redis://127.0.0.1:6379
    #[arg(long, global = true, value_name = "URL")]
    redis: Option<String>,
}

#[derive(Subcommand)]
enum Command {
    /// Run for development: on this machine only, no configuration, weather from a sandbox when offline
    #[command(after_help = "Example: fairweather dev --listen 127.0.0.1:0 --data /tmp/try")]
    Dev,
    /// Run for people who rely on it; refuses unsafe settings and says which line to change
    #[command(
        after_help = "Example: fairweather serve --public-url https://weather.example.org --trusted-proxies 10.0.0.5"
    )]
    Serve(serve::Options),
    /// Ask the server that listens here whether it is ready: for health checks where there is no other client
    #[command(after_help = "Example: fairweather ready --listen 127.0.0.1:8080")]
    Ready,
    /// Check data, keys, schema and providers, and say what to do about what is wrong
    #[command(after_help = "Example: fairweather doctor --data /var/lib/fairweather")]
    Doctor(doctor::Options),
    /// Bring the database's schema up to date
    #[command(
        after_help = "Example: fairweather migrate --dry-run --database postgres://localhost/fairweather"
    )]
    Migrate(migrate::Options),
    /// Move the data to another database
    #[command(
        subcommand,
        after_help = "Example: fairweather database move --to postgres://fairweather@localhost/fairweather"
    )]
    Database(database::Command),
    /// List accounts, give and take roles, end sessions, read what happened
    #[command(subcommand, after_help = "Example: fairweather accounts grant ann@example.org operator")]
    Accounts(accounts::Command),
    /// Keys of other services, the key ring, and the keys that sign access tokens
    #[command(subcommand, after_help = "Example: fairweather keys api list")]
    Keys(keys::Command),
    /// Look after what devices know of the data
    #[command(subcommand, after_help = "Example: fairweather sync new-era")]
    Sync(sync::Command),
    /// Replace the bundled gazetteer
    #[command(subcommand, after_help = "Example: fairweather places import ./geonames")]
    Places(places::Command),
    /// Print the OpenAPI document
    #[command(after_help = "Example: fairweather openapi > openapi.json")]
    Openapi,
    /// Print the JSON schema of the configuration file, or the configuration in force
    #[command(subcommand, after_help = "Example: fairweather config show --config /etc/fairweather.toml")]
    Config(ConfigCommand),
}

#[derive(Subcommand)]
enum ConfigCommand {
    /// Print the JSON schema of the file
    Schema,
    /// Print what is in force, from file, environment and flags; keys are left out
    Show,
}

use api as _;
impl Cli {
    pub async fn run(self) -> Result<()> {
        let Self { command, common } = self;
        match command {
            Command::Openapi => print(api::openapi_json()),
            Command::Config(ConfigCommand::Schema) => print(&crate::config::schema_json()),
            Command::Config(ConfigCommand::Show) => print(&shown(common.load(None)?)?),
            Command::Dev => serve::dev(common.setup(Mode::Dev, None)?).await,
            Command::Serve(options) => serve::serve(common.setup(Mode::Serve, Some(options))?).await,
            Command::Ready => ready::run(&common.load(None)?).await,
            Command::Doctor(options) => doctor::run(common.setup(Mode::Serve, None)?, &options).await,
            Command::Migrate(options) => migrate::run(&common.load(None)?, &options).await,
            Command::Database(command) => database::run(common.setup(Mode::Serve, None)?, command).await,
            Command::Accounts(command) => accounts::run(common.setup(Mode::Serve, None)?, command).await,
            Command::Keys(command) => keys::run(common.setup(Mode::Serve, None)?, command).await,
            Command::Sync(command) => sync::run(common.setup(Mode::Serve, None)?, command).await,
            Command::Places(command) => places::run(&common.load(None)?, &command).await,
        }
    }
}

impl Common {
    fn load(&self, serve: Option<serve::Options>) -> Result<Config> {
        let serve = serve.unwrap_or_default();
        let flags = Flags {
            listen: self.listen,
            data: self.data.clone(),
            database: self.database.clone(),
            database_direct: serve.database_direct,
            redis: self.redis.clone(),
            public_url: serve.public_url,
            drain_s: serve.drain_s,
            trusted_proxies: (!serve.trusted_proxies.is_empty()).then_some(serve.trusted_proxies),
        };
        Config::load(self.config.as_deref(), &flags)
    }

    fn setup(&self, mode: Mode, serve: Option<serve::Options>) -> Result<Setup> {
        let config = self.load(serve)?;
        let (clock, random) = (Clock::system(), system_random());
        Ok(Setup { config, mode, clock, random, bounds: Bounds::default() })
    }
}

/// The configuration in force; a key is named and not shown.
fn shown(mut config: Config) -> Result<String> {
    if let Some(key) = &mut config.weather.open_meteo.key {
        *key = String::from("(set)");
    }
    for provider in config.providers.values_mut() {
        if let Some(secret) = &mut provider.client_secret {
            *secret = String::from("(set)");
        }
    }
    for url in [&mut config.database, &mut config.database_direct, &mut config.redis].into_iter().flatten() {
        *url = store::masked(url);
    }
    serde_json::to_string_pretty(&config).map(|text| text + "\n").map_err(domain::Error::internal)
}

/// Writes a result to stdout. A reader that has enough (`| head`) is no failure.
fn print(text: &str) -> Result<()> {
    use std::io::Write;

    match std::io::stdout().write_all(text.as_bytes()) {
        Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => Err(domain::Error::internal(error)),
        _ => Ok(()),
    }
}
