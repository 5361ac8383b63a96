//! Wiring: from a configuration to a running server.

use std::fs::{File, TryLockError};
use std::net::{IpAddr, SocketAddr};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use api::{AllowedOrigins, Api, ApiSettings, Draining, Edge, Routes, TrustedProxies};
use app::limits::Rate;
use app::mail::delivery;
use app::weather::{Configured, Providers, REFRESH_EVERY, Weather};
use app::{
    App, Commits, Limits, Parts, Settings, StreamSettings, erasures, jobs, rewrap, signing_keys, streams,
    traffic, webhooks,
};
use bus::Carrier;
use domain::cookie::SessionCookie;
use domain::{Clock, Error, Random, Result};
use gazetteer::Gazetteer;
use store::Store;
use tokio::task::JoinSet;
use upstream::address::AllowedHosts;
use upstream::http::{Http, HttpSettings};
use upstream::weather::{OpenMeteo, OpenMeteoSettings, Sandbox, Scenario, WeatherProvider, answers_within};
use upstream::webhook::Receiver;
use vault::hashing::HashingOptions;
use vault::password::HashPolicy;
use vault::{HashingPool, Ring, RingKeeper, Secret};

use crate::config::{Config, origin};
use crate::connections::{self, Bounds, Connections, Networks};
use crate::sign_in_providers;
use crate::telemetry;

/// How the server is used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// By a developer on this machine: made-up weather while no provider answers, a mailbox, no TLS.
    Dev,
    /// By people who rely on it.
    Serve,
}

/// What a start is given beside its configuration; tests pass their own.
pub struct Setup {
    pub config: Config,
    pub mode: Mode,
    pub clock: Clock,
    pub random: Random,
    pub bounds: Bounds,
}

/// A running server.
pub struct Running {
    pub address: SocketAddr,
    pub app: App,
    /// Opens the development mailbox.
    pub mailbox_token: Option<String>,
    draining: Draining,
    connections: Connections,
    jobs: JoinSet<()>,
    _lock: Option<File>,
}

/// The operating system's randomness. Without it no secret can be made, so nothing else can be done.
pub fn system_random() -> Random {
    Random::new(|bytes| {
        if let Err(error) = getrandom::fill(bytes) {
            panic!("the operating system gives no randomness: {error}");
        }
    })
}

/// Everything but the network: for commands that work on the data. Nodes that run hear of what a command did from the
/// database, a little later.
pub async fn open(setup: &Setup) -> Result<(App, Option<File>)> {
    assemble(setup, None, Carrier::None).await
}

async fn assemble(setup: &Setup, mailbox: Option<&Secret>, carrier: Carrier) -> Result<(App, Option<File>)> {
    let Setup { config, mode, clock, random, .. } = setup;
    private_folder(&config.data)?;
    let url = config.store_url()?;
    // The database of another machine needs no lock here: it has its own.
    let lock = if url.file().is_some() { Some(lock(&config.data)?) } else { None };
    let ring = Arc::new(key_ring(config, &url, random).await?);
    let cache = config.data.join("cache");
    // Beside the database: each takes some milliseconds of a start, and neither needs the other.
    let gazetteer = tokio::task::spawn_blocking(move || Gazetteer::open(&cache));
    let commits = Commits::default();
    let store = Store::open(store::Options {
        url,
        readers: config.store.readers,
        postgres: config.store.postgres(),
        random: random.clone(),
        clock: clock.clone(),
        on_commit: commits.listener(),
    })
    .await?;
    let store = Arc::new(store);
    let gazetteer = Arc::new(gazetteer.await.map_err(Error::internal)??);
    let weather = Weather::new(
        store.clone(),
        clock.clone(),
        random.clone(),
        providers(config, *mode)?,
        config.weather.cache_mib.saturating_mul(1024 * 1024),
    );
    let options = HashingOptions::new(HashPolicy::MINIMUM);
    let parts = Parts {
        settings: settings(config, *mode, mailbox),
        clock: clock.clone(),
        random: random.clone(),
        store,
        ring,
        ledger: config.data.join("erasures"),
        gazetteer,
        weather,
        providers: sign_in_providers::providers(&config.providers)?,
        hashing: HashingPool::start(options, clock.clone(), random.clone())?,
        carrier,
        receiver: receiver(config),
        smtp: if *mode == Mode::Serve { config.smtp()? } else { None },
    };
    let app = App::start(parts).await?;
    commits.attach(&app);
    Ok((app, lock))
}

/// Starts to serve.
pub async fn start(mut setup: Setup) -> Result<Running> {
    let listener = connections::listen(setup.config.listen)
        .map_err(|error| Error::internal(format!("cannot listen on {}: {error}", setup.config.listen)))?;
    let address = listener.local_addr().map_err(Error::internal)?;
    if setup.config.public_url.is_none() {
        // Links of a development server lead back to it, whatever port it got.
        setup.config.public_url = Some(format!("http://localhost:{}", address.port()));
    }
    let Setup { config, mode, bounds, .. } = &setup;
    let dev = *mode == Mode::Dev;
    let draining = Draining::default();
    let api = ApiSettings {
        cookie: if is_tls(config) { SessionCookie::Secure } else { SessionCookie::Loopback },
        origin: if dev { None } else { config.public_url.as_deref().and_then(origin).map(String::from) },
        cors_origins: AllowedOrigins::parse(&config.cors_origins)?,
        trusted_proxies: TrustedProxies::parse(&config.trusted_proxies)?,
        loopback_only: dev,
        answer_within: bounds.answer,
        draining: draining.clone(),
        security_contact: config.security_contact.clone(),
        metrics: telemetry::metrics_text,
    };
    let mailbox = dev.then(|| Secret::generate(&setup.random));
    let routes = tokio::task::spawn_blocking(Routes::collect);
    let carrier = setup.config.carrier()?;
    let (app, lock) = assemble(&setup, mailbox.as_ref(), carrier).await?;
    let routes = routes.await.map_err(Error::internal)?;
    let networks = networks(config, dev)?;
    let edge = Edge::new(routes, Api::new(app.clone(), api));
    let connections = connections::serve(listener, edge, *bounds, networks);
    let mut jobs = jobs(&app, dev.then_some(bounds.probe));
    jobs.spawn(async {
        // It takes whole cores for a moment, which those who have waited for the start need more.
        tokio::time::sleep(PREPARED_AFTER).await;
        let _ = tokio::task::spawn_blocking(prepare).await;
    });
    let mailbox_token = mailbox.map(|secret| secret.to_text().to_string());
    Ok(Running { address, app, mailbox_token, draining, connections, jobs, _lock: lock })
}

/// How long after the start [`prepare`] begins.
const PREPARED_AFTER: Duration = Duration::from_millis(200);

/// What takes a processor for a fifth of a second and nobody has to wait for: the clock of the metrics is calibrated,
/// the random generator begins. Requests that are answered before are not counted.
fn prepare() {
    if let Err(error) = telemetry::start_metrics() {
        tracing::error!(%error, "nothing is counted");
    }
    vault::signing::warm_up();
}

/// How long a server that stops waits until the other nodes have its last news.
const LAST_NEWS: Duration = Duration::from_secs(2);
/// How long it then waits for the database to be closed, which a request to somebody else that is under way holds open.
const AT_REST: Duration = Duration::from_secs(2);

impl Running {
    /// Says for a while that this server is about to stop, and serves as before, so that balancers send nobody here
    /// any more when [`Running::stop`] closes the door.
    pub async fn drain(&self, time: Duration) {
        self.draining.begin();
        tokio::time::sleep(time).await;
    }

    /// Stops taking connections, lets those at work finish for a while, and ends the jobs.
    pub async fn stop(mut self, patience: Duration) {
        // A stream ends only when somebody ends it, so their clients are told while the others finish.
        let ended = tokio::time::timeout(patience, self.app.end_streams());
        let (ended, ()) = tokio::join!(ended, self.connections.drain(patience));
        if ended.is_err() {
            tracing::warn!("some streams did not end in time and were cut");
        }
        // The last of what happened here is told before the connection to the others goes.
        self.app.bus().flushed(LAST_NEWS).await;
        self.jobs.shutdown().await;
        if let Err(error) = self.app.settle().await {
            tracing::warn!(%error, "the database keeps its log; the next start reads it");
        }
        // Before the lock on its folder goes with the rest: who takes the folder next finds its files at rest.
        let Self { app, connections, _lock, .. } = self;
        drop(connections);
        if tokio::time::timeout(AT_REST, app.close()).await.is_err() {
            tracing::warn!("the database was not closed in time: something still works on it");
        }
    }
}

/// For its owner alone, since it holds the keys: made so, or made so now.
fn private_folder(folder: &Path) -> Result<()> {
    use std::os::unix::fs::{DirBuilderExt, PermissionsExt};

    let failed =
        |what, error| Error::internal(format!("cannot {what} the folder {}: {error}", folder.display()));
    let made = std::fs::DirBuilder::new().recursive(true).mode(0o700).create(folder);
    made.map_err(|error| failed("make", error))?;
    let mode = std::fs::metadata(folder).map_err(|error| failed("look at", error))?.permissions().mode();
    if mode & 0o077 != 0 {
        let made_private = std::fs::set_permissions(folder, std::fs::Permissions::from_mode(0o700));
        let folder = folder.display();
        match made_private {
            Ok(()) => {
                tracing::warn!(%folder, "others could look into the data folder; now its owner alone can")
            }
            // It belongs to somebody else, who decides.
            Err(error) => tracing::warn!(%folder, %error, "others can look into the data folder"),
        }
    }
    Ok(())
}

/// Two processes on one SQLite file would not know of each other's commits.
pub(crate) fn lock(folder: &Path) -> Result<File> {
    let path = folder.join("lock");
    let failed = |error| Error::internal(format!("cannot lock {}: {error}", path.display()));
    let file = File::options().create(true).append(true).open(&path).map_err(failed)?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(Error::internal(format!(
            "the data folder {} is in use by another fairweather: stop it first, or name another folder with --data",
            folder.display()
        ))),
        Err(TryLockError::Error(error)) => Err(failed(error)),
    }
}

/// From the environment where several nodes share it, else from its file, made at the first start.
///
/// # Errors
/// When the file is missing beside a database that is in use: a new ring would open nothing of it.
async fn key_ring(config: &Config, url: &store::Url, random: &Random) -> Result<RingKeeper> {
    if let Ok(text) = std::env::var(KEY_RING) {
        return Ok(RingKeeper::new(Ring::parse(&text)?, None));
    }
    let file = ring_file(config);
    let keep = |ring| RingKeeper::new(ring, Some(file.clone()));
    if let Some(ring) = Ring::load(&file)? {
        return Ok(keep(ring));
    }
    if store::migrate(url, true).await?.is_sealed {
        // Of nodes that start together on one folder, another may have made both in the meantime.
        if let Some(ring) = Ring::load(&file)? {
            return Ok(keep(ring));
        }
        return Err(Error::internal(format!(
            "the key ring {} is missing, and the database {url:?} is sealed with it: put your copy back, \
             or give it in FAIRWEATHER_KEY_RING",
            file.display()
        )));
    }
    if let Some(folder) = file.parent() {
        private_folder(folder)?;
    }
    Ring::load_or_create(&file, random).map(keep)
}

/// Where the key ring may be given instead of in its file.
pub(crate) const KEY_RING: &str = "FAIRWEATHER_KEY_RING";

pub(crate) fn ring_file(config: &Config) -> PathBuf {
    config.data.join("keys").join("ring")
}

/// What bounds the connections of one network. A proxy stands for many people, and a developer's machine for itself.
fn networks(config: &Config, dev: bool) -> Result<Networks> {
    let proxies = TrustedProxies::parse(&config.trusted_proxies)?;
    let is_exempt = move |address: IpAddr| proxies.contains(address) || (dev && address.is_loopback());
    Ok(Networks::new(config.limits.connections_per_network, is_exempt))
}

/// What sends webhooks: to public hosts, and to those that the operator named.
fn receiver(config: &Config) -> Receiver {
    let allowed = AllowedHosts::from_iter(&config.webhooks.allowed_hosts);
    Receiver::new(Http::new(HttpSettings { allowed, ..HttpSettings::default() }))
}

fn providers(config: &Config, mode: Mode) -> Result<Providers> {
    let weather = &config.weather;
    let settings = OpenMeteoSettings::parse(&weather.open_meteo.base_url, weather.open_meteo.key.clone())?;
    let limits = settings.budget_limits(weather.open_meteo.monthly_calls);
    // A host that the operator named may be a private one: their own container.
    let named = if settings.is_free_host() { None } else { settings.base_url.host_str().map(str::to_owned) };
    let http = Http::new(HttpSettings { allowed: AllowedHosts::from_iter(named), ..HttpSettings::default() });
    let provider: Arc<dyn WeatherProvider> = Arc::new(OpenMeteo::new(http, settings)?);
    if mode == Mode::Serve {
        return Ok(Providers::new(vec![Configured { provider, limits }], None));
    }
    let scenario = Scenario::parse(&weather.sandbox.scenario).ok_or_else(|| {
        let known: Vec<_> = Scenario::ALL.iter().map(|scenario| scenario.name()).collect();
        Error::internal(format!("weather.sandbox.scenario must be one of {}", known.join(", ")))
    })?;
    let sandbox: Arc<dyn WeatherProvider> = Arc::new(Sandbox::new(scenario));
    let real = if weather.sandbox.always { Vec::new() } else { vec![Configured { provider, limits }] };
    Ok(Providers::new(real, Some(sandbox)))
}

fn settings(config: &Config, mode: Mode, mailbox: Option<&Secret>) -> Settings {
    let dev = mode == Mode::Dev;
    let public_url = config.public_url.as_deref().and_then(origin).unwrap_or("http://localhost").to_owned();
    let limits = &config.limits;
    let rate = |per_second, burst| Rate { per_second, burst };
    let hourly = |burst, per_hour: u32| Rate { per_second: f64::from(per_hour) / 3600.0, burst };
    Settings {
        // The port of a development server changes from start to start; its tokens outlive that.
        issuer: if dev { String::from("http://localhost") } else { public_url.clone() },
        audience: String::from("fairweather"),
        public_url,
        quota_favourites: config.quota.favourites,
        password_minimum: config.password.minimum,
        passkey_apps: config.passkeys.apps.clone(),
        limits: Limits {
            account: rate(limits.account_per_second, limits.account_burst),
            mutations: rate(limits.mutations_per_second, limits.mutations_burst),
            places: rate(limits.places_per_second, limits.places_burst),
            passkeys: rate(limits.passkeys_per_second, limits.passkeys_burst),
            anonymous: hourly(limits.anonymous_burst, limits.anonymous_per_hour),
            cold_cells_account: hourly(limits.cold_cells_burst, limits.cold_cells_per_hour),
            cold_cells_network: hourly(
                limits.cold_cells_network_per_hour,
                limits.cold_cells_network_per_hour,
            ),
            secrets: rate(limits.secrets_per_second, limits.secrets_burst),
            mail_per_address: limits.mail_per_address,
            mail_per_address_in_all: limits.mail_per_address_in_all,
            mail_per_network: limits.mail_per_network,
        },
        streams: StreamSettings {
            most: limits.streams,
            per_account: limits.streams_per_account.max(1),
            heartbeat: Duration::from_secs(config.streams.heartbeat_s.max(1)),
            stalled: Duration::from_secs(config.streams.stalled_s.max(1)),
        },
        webhooks_waiting: config.webhooks.waiting,
        audit_kept: Duration::from_hours(24)
            .saturating_mul(u32::try_from(config.audit.kept_days.max(1)).unwrap_or(u32::MAX)),
        trust_loopback: dev,
        has_mail: dev || config.mail.url.is_some(),
        mailbox_token: mailbox.map(Secret::digest),
    }
}

fn is_tls(config: &Config) -> bool {
    config.public_url.as_deref().is_some_and(|url| url.starts_with("https://"))
}

/// How often observations are folded into the metrics.
const FOLD_EVERY: Duration = Duration::from_secs(5);
/// How long after the start a development server first asks its provider.
const ASKED_AFTER: Duration = Duration::from_millis(20);
/// How often a development server looks whether its provider answers by now.
const PROBE_EVERY: Duration = Duration::from_secs(30);

/// What runs beside requests. `probe` is how long the provider of a development server may take to answer.
fn jobs(app: &App, probe: Option<Duration>) -> JoinSet<()> {
    let mut jobs = JoinSet::new();
    let of = app.clone();
    jobs.spawn(every(jobs::REVOCATIONS_EVERY, "read_revocations", move || {
        let app = of.clone();
        async move { app.read_revocations().await }
    }));
    let of = app.clone();
    jobs.spawn(every(erasures::KEEP_EVERY, "keep_ledger", move || {
        let app = of.clone();
        async move { app.keep_ledger().await }
    }));
    let of = app.clone();
    jobs.spawn(every(signing_keys::READ_EVERY, "read_signing_keys", move || {
        let app = of.clone();
        async move { app.read_signing_keys().await }
    }));
    let of = app.clone();
    jobs.spawn(every(signing_keys::ROTATE_EVERY, "rotate_signing_keys", move || {
        let app = of.clone();
        async move { app.rotate_signing_keys().await }
    }));
    let of = app.clone();
    jobs.spawn(every(rewrap::FOLLOW_EVERY, "follow_ring", move || {
        let app = of.clone();
        async move { app.follow_ring().await }
    }));
    let of = app.clone();
    jobs.spawn(every(jobs::WEBHOOKS_EVERY, "read_webhooks", move || {
        let app = of.clone();
        async move { app.read_webhooks().await }
    }));
    let of = app.clone();
    jobs.spawn(every(webhooks::DELIVER_EVERY, "deliver_webhooks", move || {
        let app = of.clone();
        async move {
            // Not waited for: a receiver that hangs holds up its own webhook alone.
            tokio::spawn(async move { app.deliver_webhooks().await });
            Ok(())
        }
    }));
    let of = app.clone();
    jobs.spawn(every(jobs::CLEAN_UP_EVERY, "clean_up", move || {
        let app = of.clone();
        async move { app.clean_up().await }
    }));
    let of = app.clone();
    jobs.spawn(every(REFRESH_EVERY, "refresh_ahead", move || {
        let app = of.clone();
        async move {
            app.weather().refresh_ahead().await;
            Ok(())
        }
    }));
    let of = app.clone();
    jobs.spawn(every(streams::CHECK_EVERY, "check_streams", move || {
        let app = of.clone();
        async move { app.check_streams().await }
    }));
    let of = app.clone();
    jobs.spawn(every(streams::HEADS_EVERY, "read_heads", move || {
        let app = of.clone();
        async move { app.read_heads().await }
    }));
    let of = app.clone();
    jobs.spawn(every(streams::WATCH_EVERY, "watch_favourites", move || {
        let app = of.clone();
        async move { app.watch_favourites().await }
    }));
    let of = app.clone();
    jobs.spawn(async move { of.follow_bus().await });
    if probe.is_none() && app.settings().has_mail {
        let of = app.clone();
        jobs.spawn(every(delivery::EVERY, "send_mail", move || {
            let app = of.clone();
            async move { app.send_mail().await }
        }));
    }
    if app.bus().is_there() {
        let of = app.clone();
        jobs.spawn(every(traffic::TELL_EVERY, "tell_traffic", move || {
            let app = of.clone();
            async move {
                app.tell_traffic();
                Ok(())
            }
        }));
    }
    jobs.spawn(every(FOLD_EVERY, "fold_metrics", || async {
        telemetry::fold_metrics();
        Ok(())
    }));
    if let Some(limit) = probe {
        jobs.spawn(choose_weather(app.clone(), limit));
    }
    jobs
}

async fn every<F, W>(pause: Duration, name: &'static str, work: F)
where
    F: Fn() -> W,
    W: Future<Output = Result<()>>,
{
    let mut ticks = tokio::time::interval(pause);
    ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    // The first tick is at once, and the start has just done all this.
    ticks.tick().await;
    loop {
        ticks.tick().await;
        if let Err(error) = work().await {
            tracing::warn!(job = name, %error, "a job failed; it runs again at its time");
        }
    }
}

/// Begins with real weather when a provider answers at once, else with made-up weather until one does.
async fn choose_weather(app: App, limit: Duration) {
    let providers = app.weather().providers();
    if providers.real().next().is_some() {
        // The first question reads the system's certificates: who waits for the start needs the processor more.
        tokio::time::sleep(ASKED_AFTER).await;
    }
    if a_provider_answers(&app, limit).await {
        providers.decide(false);
        return;
    }
    providers.decide(true);
    if providers.real().next().is_none() {
        return;
    }
    tracing::warn!("no weather provider answers: forecasts are made up (sandbox) until one does");
    loop {
        tokio::time::sleep(PROBE_EVERY).await;
        if a_provider_answers(&app, limit).await {
            providers.leave_sandbox();
            return;
        }
    }
}

async fn a_provider_answers(app: &App, limit: Duration) -> bool {
    for provider in app.weather().providers().real() {
        if answers_within(provider.as_ref(), limit, app.now()).await {
            return true;
        }
    }
    false
}
