//! Use cases, one function each: authorise, open the transaction, apply the rules, tell who needs to know.
//!
//! Every face of the API calls these and nothing else; none of them knows what HTTP is.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, OnceLock, Weak};

use bus::{Bus, Carrier, Installation};
use domain::password::PasswordPolicy;
use domain::{Clock, Random, Result, Timestamp};
use gazetteer::Gazetteer;
use quick_cache::sync::Cache;
use store::{Hint, OnCommit, Store, secrets};
use upstream::smtp::Smtp;
use upstream::webhook::Receiver;
use vault::ring::RingKeyId;
use vault::webauthn::RelyingParty;
use vault::{BlindIndex, HashingPool, MacKey, RefreshKey, RingKeeper, ServerKey};

pub mod accounts;
pub mod api_keys;
pub mod audit;
mod authenticate;
pub mod caller;
mod challenges;
pub mod changes;
mod common_passwords;
mod data_keys;
mod device_tokens;
mod elevations;
pub mod email_change;
pub mod erasures;
pub mod export;
pub mod factors;
pub mod favourites;
pub mod forecasts;
pub mod idempotency;
pub mod identities;
pub mod jobs;
pub mod limits;
pub mod log_check;
mod login;
pub mod mail;
pub mod me;
mod nodes;
pub mod oauth;
mod operator;
pub mod passkeys;
pub mod passwords;
pub mod places;
mod plain_texts;
pub mod preferences;
mod refresh;
pub mod registration;
mod rendered;
mod revocations;
pub mod rewrap;
pub mod second_factor;
mod session_record;
pub mod sessions;
pub mod settings;
pub mod sign_in;
pub mod signing_keys;
pub mod step_up;
pub mod streams;
pub mod sync;
mod throttles;
pub mod traffic;
pub mod weather;
pub mod webhooks;

pub use caller::{Caller, Client, Network, Principal, Service};
pub use settings::{Limits, Settings, StreamSettings};

use data_keys::DataKeys;
use erasures::Ledger;
use oauth::Providers;
use rendered::Rendered;
use signing_keys::SigningKeys;
use streams::Hub;
use traffic::Traffic;
use weather::Weather;

/// Everything the use cases work with. Cheap to clone.
#[derive(Clone)]
pub struct App(Arc<Inner>);

pub struct Inner {
    settings: Settings,
    clock: Clock,
    random: Random,
    store: Arc<Store>,
    gazetteer: Arc<Gazetteer>,
    weather: Arc<Weather>,
    hashing: HashingPool,
    policy: PasswordPolicy,
    index: Arc<BlindIndex>,
    refresh_key: RefreshKey,
    signing_keys: SigningKeys,
    ring: Arc<RingKeeper>,
    /// The ring's active key when everything was last wrapped anew.
    rewrapped_for: Mutex<Option<RingKeyId>>,
    relying_party: RelyingParty,
    data_keys: DataKeys,
    ledger: Arc<Ledger>,
    tokens: Cache<Box<str>, Arc<authenticate::VerifiedToken>>,
    cookies: Cache<[u8; 32], authenticate::KnownCookie>,
    known_keys: Cache<[u8; 32], api_keys::KnownKey>,
    revocations: revocations::Revocations,
    elevations: elevations::Elevations,
    favourite_pages: Rendered<bytes::Bytes>,
    forecast_lists: Rendered<Arc<forecasts::RenderedList>>,
    streams: Arc<Hub>,
    traffic: Traffic,
    audit_tally: audit::Tally,
    webhooks: webhooks::Webhooks,
    providers: Providers,
    bus: Bus,
    device_key: MacKey,
    smtp: Option<Smtp>,
}

impl std::ops::Deref for App {
    type Target = Inner;

    fn deref(&self) -> &Inner {
        &self.0
    }
}

/// What an [`App`] is made of.
pub struct Parts {
    pub settings: Settings,
    pub clock: Clock,
    pub random: Random,
    pub store: Arc<Store>,
    pub ring: Arc<RingKeeper>,
    /// Where removed accounts are noted, outside of the database.
    pub ledger: PathBuf,
    pub gazetteer: Arc<Gazetteer>,
    pub weather: Arc<Weather>,
    pub hashing: HashingPool,
    /// Who else may say who somebody is.
    pub providers: Providers,
    /// What brings news from node to node.
    pub carrier: Carrier,
    /// What sends webhooks.
    pub receiver: Receiver,
    /// What takes mail; without it mail stays in the mailbox of a development server.
    pub smtp: Option<Smtp>,
}

/// Tokens and cookies remembered as checked.
const REMEMBERED: usize = 50_000;

/// Carries commits from the store to the app, which is made after it. Weak, since the app owns the store: held
/// firmly, the two would keep each other for ever, with their threads and caches.
#[derive(Clone, Default)]
pub struct Commits(Arc<OnceLock<Weak<Inner>>>);

impl Commits {
    /// What to give to the store.
    pub fn listener(&self) -> OnCommit {
        let commits = self.clone();
        Arc::new(move |hints: &[Hint]| {
            if let Some(app) = commits.0.get().and_then(Weak::upgrade) {
                App(app).committed(hints);
            }
        })
    }

    /// From now on commits reach this app. Before there is one, nothing was rendered that could be stale.
    pub fn attach(&self, app: &App) {
        let _ = self.0.set(Arc::downgrade(&app.0));
    }
}

impl App {
    /// Takes the installation's keys out of the database, making them at the first start.
    pub async fn start(parts: Parts) -> Result<Self> {
        let Parts {
            settings,
            clock,
            random,
            store,
            ring,
            ledger,
            gazetteer,
            weather,
            hashing,
            providers,
            carrier,
            receiver,
            smtp,
        } = parts;
        let [index, refresh] = rewrap::SECRETS;
        let index = server_key(&store, &ring, &random, index).await?;
        let refresh = server_key(&store, &ring, &random, refresh).await?;
        let device_key = MacKey::new(&index, "device token")?;
        let signing_keys = SigningKeys::start(&store, &ring, &random, clock.now()).await?;
        let bus = Bus::new(carrier, Installation::new(&index)?, clock.clone(), random.clone())?;
        let index = Arc::new(BlindIndex::new(&index)?);
        weather.share_through(bus.shared_cache());
        let app = Self(Arc::new(Inner {
            policy: PasswordPolicy::new(settings.password_minimum, "fairweather"),
            refresh_key: RefreshKey::new(refresh),
            signing_keys,
            ledger: Arc::new(Ledger::at(ledger)),
            relying_party: relying_party(&settings),
            data_keys: DataKeys::new(ring.clone(), store.clone()),
            ring,
            rewrapped_for: Mutex::default(),
            tokens: Cache::new(REMEMBERED),
            cookies: Cache::new(REMEMBERED),
            known_keys: Cache::new(api_keys::REMEMBERED),
            revocations: revocations::Revocations::default(),
            elevations: elevations::Elevations::default(),
            favourite_pages: Rendered::new(),
            forecast_lists: Rendered::new(),
            streams: Hub::new(settings.streams.clone()),
            traffic: Traffic::new(&settings.limits, bus.is_there().then_some(&index)),
            audit_tally: audit::Tally::default(),
            webhooks: webhooks::Webhooks::new(receiver),
            index,
            providers,
            bus,
            settings,
            clock,
            random,
            store,
            gazetteer,
            weather,
            hashing,
            device_key,
            smtp,
        }));
        let of = Arc::downgrade(&app.0);
        app.weather.on_change(move |changed, by| {
            if let Some(app) = of.upgrade() {
                Self(app).weather_changed(changed, by);
            }
        });
        if app.bus.is_there() {
            let bus = app.bus.clone();
            app.streams.on_change(move |account, opened| bus.tell_streams(account, opened));
        }
        app.read_revocations().await?;
        app.read_webhooks().await?;
        app.compare_ledger().await?;
        Ok(app)
    }

    pub fn now(&self) -> Timestamp {
        self.clock.now()
    }

    pub fn random(&self) -> &Random {
        &self.random
    }

    pub fn settings(&self) -> &Settings {
        &self.settings
    }

    /// The providers through which people sign in.
    pub fn providers(&self) -> &Providers {
        &self.providers
    }

    pub fn weather(&self) -> &Arc<Weather> {
        &self.weather
    }

    /// Whether the database answers: what readiness rests on.
    pub async fn is_ready(&self) -> bool {
        self.store.read(async |db| secrets::signing_keys(db).await).await.is_ok()
    }

    /// How often the database was asked and waited for (PostgreSQL).
    pub fn database_round_trips(&self) -> u64 {
        self.store.round_trips()
    }

    /// How many passwords were hashed since the start, for somebody or for nobody.
    pub fn password_hashes(&self) -> u64 {
        self.hashing.done()
    }

    /// Leaves the data in as few files as it can: for a server that stops.
    pub async fn settle(&self) -> Result<()> {
        self.write_audit_tally().await?;
        self.store.settle().await.map_err(Into::into)
    }

    /// Waits until everything else that works with this app has ended and the database is closed: its files are at
    /// rest then.
    pub async fn close(self) {
        let closed = self.store.closed();
        drop(self);
        closed.await;
    }
}

/// Passkeys are made for the host that people reach, and shown on its pages or by the apps that the operator names.
fn relying_party(settings: &Settings) -> RelyingParty {
    let url = settings.public_url.as_str();
    let host = url.split_once("://").map_or(url, |(_, host)| host);
    let name = host.split_once(':').map_or(host, |(name, _)| name);
    let apps = settings.passkey_apps.iter().cloned();
    RelyingParty::new(name, std::iter::once(url.to_owned()).chain(apps).collect())
}

/// A random key of the installation, wrapped by the ring in the database. Of two nodes that start together
/// one wins, and both use its.
async fn server_key(
    store: &Store,
    ring: &RingKeeper,
    random: &Random,
    name: &'static str,
) -> Result<ServerKey> {
    let place = rewrap::secret_place(name);
    // Only the very first start writes: a commit waits for the disk.
    let kept = match store.read(async move |db| secrets::get(db, name).await).await? {
        Some(kept) => kept,
        None => {
            let wrapped = ServerKey::generate(random).wrap(&ring.ring(), &place, random)?;
            store.write(async move |tx| secrets::ensure(tx, name, &wrapped).await).await?
        }
    };
    let ring = ring.holding(&kept)?;
    ServerKey::unwrap(&ring, &place, &kept)
}
