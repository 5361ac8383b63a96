//! `dev` and `serve`.

use std::time::Duration;

use domain::{Error, Result};
use tokio::signal::unix::{Signal, SignalKind, signal};

use super::print;
use crate::start::{Running, Setup, start};
use crate::telemetry;

#[derive(clap::Args, Default)]
pub struct Options {
    /// Where people reach this server, e.g. https://weather.example.org
    #[arg(long, value_name = "URL")]
    pub public_url: Option<String>,
    /// Proxies whose X-Forwarded-For counts, e.g. 10.0.0.0/8 (may be repeated)
    #[arg(long, value_name = "CIDR", num_args = 1.., value_delimiter = ',')]
    pub trusted_proxies: Vec<String>,
    /// PostgreSQL itself, where --database leads to a pooler
    #[arg(long, value_name = "URL")]
    pub database_direct: Option<String>,
    /// Seconds to go on serving after SIGTERM, with /readyz red [default: 5 with PostgreSQL, else 0]
    #[arg(long, value_name = "SECONDS")]
    pub drain_s: Option<u64>,
}

/// How long requests at work may take to finish after SIGTERM.
const PATIENCE: Duration = Duration::from_secs(8);

pub async fn dev(setup: Setup) -> Result<()> {
    telemetry::start_logging(&setup.config.log)?;
    if !setup.config.listen.ip().is_loopback() {
        return Err(Error::internal(format!(
            "`dev` is for this machine only: it listens on 127.0.0.1, not on {}; use `serve` for others",
            setup.config.listen
        )));
    }
    let data = setup.config.data.clone();
    let signals = Signals::listen()?;
    let running = start(setup).await?;
    let base = format!("http://{}", running.address);
    let mailbox = running.mailbox_token.as_deref().unwrap_or_default();
    let web = if api::has_web_app() { "" } else { " (no web app in this build: run scripts/build)" };
    print(&format!(
        "Fairweather {version}, for development\n\n  \
         listening on {base}{web}\n  \
         reference {base}/docs\n  \
         mailbox {base}/dev/mailbox?token={mailbox}\n  \
         data in {data}\n\n\
         Stop with Ctrl-C.\n",
        version = env!("CARGO_PKG_VERSION"),
        data = data.display(),
    ))?;
    signals.stop(running, Duration::ZERO).await
}

pub async fn serve(setup: Setup) -> Result<()> {
    telemetry::start_logging(&setup.config.log)?;
    let wrong = setup.config.unsafe_settings();
    if !wrong.is_empty() {
        let lines: Vec<String> = wrong.iter().map(|line| format!("\n  - {line}")).collect();
        return Err(Error::internal(format!("not started, because of unsafe settings:{}", lines.concat())));
    }
    if !api::has_web_app() {
        return Err(Error::internal("this build carries no web app: make one with `scripts/build`"));
    }
    if setup.config.mail.url.is_none() {
        tracing::warn!(
            "mail.url is not set, so nobody can register with an e-mail address or reset a password; other ways in work"
        );
    }
    let drain = setup.config.drain()?;
    let signals = Signals::listen()?;
    let running = start(setup).await?;
    print(&format!("listening on http://{}\n", running.address))?;
    tracing::info!(address = %running.address, version = env!("CARGO_PKG_VERSION"), "started");
    signals.stop(running, drain).await
}

/// The signals that end the server. Listened for before an address is printed: whoever reads it may stop us at once.
struct Signals {
    terminate: Signal,
    interrupt: Signal,
}

impl Signals {
    fn listen() -> Result<Self> {
        let listen = |kind| signal(kind).map_err(Error::internal);
        Ok(Self { terminate: listen(SignalKind::terminate())?, interrupt: listen(SignalKind::interrupt())? })
    }

    /// Waits for the first signal and stops in order; a second one ends that at once.
    async fn stop(mut self, running: Running, drain: Duration) -> Result<()> {
        self.come().await;
        let in_order = async {
            if !drain.is_zero() {
                tracing::info!(
                    seconds = drain.as_secs(),
                    "draining: /readyz is red, everybody is still served"
                );
            }
            running.drain(drain).await;
            tracing::info!("stopping");
            running.stop(PATIENCE).await;
        };
        tokio::select! {
            () = in_order => {}
            () = self.come() => tracing::warn!("stopping at once: connections are cut"),
        }
        Ok(())
    }

    async fn come(&mut self) {
        tokio::select! {
            _ = self.terminate.recv() => {}
            _ = self.interrupt.recv() => {}
        }
    }
}
