//! The real server, in this process: a port and a database of its own, the fake provider, a clock that stands
//! still until a story moves it, and randomness that repeats.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use app::audit::{Actor, Line, Question};
use domain::account::Role;
use domain::{AccountId, Clock, Random, Timestamp};
use gazetteer::Gazetteer;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};
use serde_json::json;
use server::{Bounds, Config, Mode, Running, Setup};
use tempfile::TempDir;

use crate::clients::{Client, http_client};
use crate::databases::Database;
use crate::events::{AT_LAST, SOON};
use crate::provider::FakeProvider;
use crate::totp;

/// When stories begin: 2026-11-21T10:00:00Z.
pub const NOW: Timestamp = Timestamp::from_seconds(1_795_255_200);

/// How long requests at work may take when a story stops or restarts its server.
const PATIENCE: Duration = Duration::from_secs(30);

/// One installation and its running server. Everything it made goes when it is dropped.
pub struct TestApp {
    /// What the server takes its weather from. Its time follows [`TestApp::advance`].
    pub provider: Arc<FakeProvider>,
    clock: Clock,
    random: Random,
    config: Config,
    mode: Mode,
    bounds: Bounds,
    running: Option<Running>,
    folder: TempDir,
    http: reqwest::Client,
}

/// A message as somebody got it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mail {
    pub to: String,
    pub subject: String,
    pub text: String,
    pub html: String,
}

impl TestApp {
    /// A new installation in development mode on SQLite.
    pub async fn start() -> Self {
        Self::start_on(None).await
    }

    /// A new installation on the PostgreSQL database of this address, or on SQLite.
    pub async fn start_on(postgres: Option<String>) -> Self {
        Self::start_with(1, |config| config.database = postgres).await
    }

    /// A new installation in development mode with other settings and a random source of its own: two with
    /// the same seed would draw the same keys.
    ///
    /// # Panics
    /// When it does not start.
    pub async fn start_with(seed: u64, settings: impl FnOnce(&mut Config)) -> Self {
        let provider = Arc::new(FakeProvider::start(NOW).await);
        let folder = tempfile::tempdir().expect("a temporary folder");
        let data = folder.path().join("data");
        share_places(&data);
        let mut config = Config { data, listen: SocketAddr::from(([127, 0, 0, 1], 0)), ..Config::default() };
        config.weather.open_meteo.base_url = provider.base_url();
        settings(&mut config);
        let mut source = ChaCha8Rng::seed_from_u64(seed);
        let random = Random::new(move |bytes| source.fill_bytes(bytes));
        let mut app = Self {
            provider,
            clock: Clock::fixed(NOW),
            random,
            config,
            mode: Mode::Dev,
            // The fake is always there, however slow the machine.
            bounds: Bounds { probe: AT_LAST, ..Bounds::default() },
            running: None,
            folder,
            http: http_client(),
        };
        app.resume().await;
        app
    }

    /// Another node beside this one: a process of its own on the same database, with a copy of the key ring. Both
    /// have one clock, one provider and one source of randomness.
    ///
    /// # Panics
    /// When it does not start.
    pub async fn beside(&self) -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let data = folder.path().join("data");
        share_places(&data);
        std::fs::create_dir(data.join("keys")).expect("a folder for the ring");
        std::fs::copy(self.data().join("keys/ring"), data.join("keys/ring")).expect("the ring can be copied");
        let mut node = Self {
            provider: self.provider.clone(),
            clock: self.clock.clone(),
            random: self.random.clone(),
            config: Config { data, ..self.config.clone() },
            mode: self.mode,
            bounds: self.bounds,
            running: None,
            folder,
            http: self.http.clone(),
        };
        node.resume().await;
        node
    }

    /// Stops the server and starts it anew on the same data: what only memory knew is gone.
    pub async fn restart(&mut self) {
        self.stop().await;
        self.resume().await;
    }

    /// The same with other settings.
    pub async fn restart_with(&mut self, settings: impl FnOnce(&mut Config)) {
        self.stop().await;
        settings(&mut self.config);
        self.resume().await;
    }

    /// The same, in another mode. [`Mode::Serve`] has no mailbox, so nobody can sign up there.
    pub async fn restart_in(&mut self, mode: Mode, settings: impl FnOnce(&mut Config)) {
        self.stop().await;
        self.mode = mode;
        settings(&mut self.config);
        self.resume().await;
    }

    /// The same with less patience for its clients, so that a story need not be as slow as they are.
    pub async fn restart_within(&mut self, bounds: impl FnOnce(&mut Bounds)) {
        self.stop().await;
        bounds(&mut self.bounds);
        self.resume().await;
    }

    /// Stops the server; only [`TestApp::resume`] and what looks at files make sense then.
    pub async fn stop(&mut self) {
        if let Some(running) = self.running.take() {
            running.stop(PATIENCE).await;
        }
    }

    /// Starts the server on the data that is there.
    ///
    /// # Panics
    /// When it does not start.
    pub async fn resume(&mut self) {
        self.running = Some(server::start(self.setup()).await.expect("the server starts"));
    }

    /// What this server is started with: for a second one beside it on the same data.
    pub fn setup(&self) -> Setup {
        Setup {
            config: self.config.clone(),
            mode: self.mode,
            clock: self.clock.clone(),
            random: self.random.clone(),
            bounds: self.bounds,
        }
    }

    /// The use cases, for jobs and for what no face of the API offers.
    ///
    /// # Panics
    /// When the server is stopped.
    pub fn app(&self) -> &app::App {
        &self.running().app
    }

    fn running(&self) -> &Running {
        self.running.as_ref().expect("the server runs")
    }

    /// `http://127.0.0.1:…`
    pub fn base_url(&self) -> String {
        format!("http://{}", self.address())
    }

    pub fn address(&self) -> SocketAddr {
        self.running().address
    }

    pub fn config(&self) -> &Config {
        &self.config
    }

    /// The data folder.
    pub fn data(&self) -> &Path {
        &self.config.data
    }

    /// A folder beside the data folder that goes with it.
    pub fn scratch(&self) -> &Path {
        self.folder.path()
    }

    pub fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// Moves the server's clock and the provider's.
    pub fn advance(&self, by: Duration) {
        self.clock.advance(by);
        self.provider.set_now(self.clock.now());
    }

    /// Runs the job that removes what has expired.
    ///
    /// # Panics
    /// When it fails.
    pub async fn clean_up(&self) {
        self.app().clean_up().await.expect("the job works");
    }

    /// Runs the job that learns which sessions ended elsewhere.
    ///
    /// # Panics
    /// When it fails.
    pub async fn read_revocations(&self) {
        self.app().read_revocations().await.expect("the job works");
    }

    /// Runs the job that ends streams whose time has come.
    ///
    /// # Panics
    /// When it fails.
    pub async fn check_streams(&self) {
        // It comes every second, so one that met a slow moment is made up for by the next.
        let checked = async {
            while let Err(error) = self.app().check_streams().await {
                assert!(matches!(error, domain::Error::Unavailable { .. }), "{error}");
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        };
        tokio::time::timeout(SOON, checked).await.expect("the job works");
    }

    /// Runs the job that finds what hints did not tell.
    ///
    /// # Panics
    /// When it fails.
    pub async fn read_heads(&self) {
        self.app().read_heads().await.expect("the job works");
    }

    /// Runs the job that learns whose favourites lie in which cells.
    ///
    /// # Panics
    /// When it fails.
    pub async fn watch_favourites(&self) {
        self.app().watch_favourites().await.expect("the job works");
    }

    /// Returns when this many streams are open.
    ///
    /// # Panics
    /// When that does not happen soon.
    pub async fn open_streams(&self, count: usize) {
        let open = async {
            while self.app().open_streams() != count {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        let waited = tokio::time::timeout(Duration::from_secs(15), open).await;
        assert!(waited.is_ok(), "{} streams are open, not {count}", self.app().open_streams());
    }

    /// Runs the job that fetches forecasts before they grow stale.
    pub async fn refresh_ahead(&self) {
        self.app().weather().refresh_ahead().await;
    }

    /// The database, past the application.
    pub fn database(&self) -> Database {
        match &self.config.database {
            Some(url) => match url.strip_prefix("sqlite:") {
                Some(path) => Database::Sqlite(path.into()),
                None => Database::Postgres(url.clone()),
            },
            None => Database::Sqlite(self.data().join("fairweather.db")),
        }
    }

    /// What was mailed, newest first.
    ///
    /// # Panics
    /// When this server has no mailbox.
    pub async fn mails(&self) -> Vec<Mail> {
        let running = self.running();
        let token = running.mailbox_token.as_deref().expect("a development server has a mailbox");
        let mails = running.app.mailbox(token).await.expect("its own token opens the mailbox");
        let mail = |delivered: app::mail::Delivered| {
            let app::mail::Message { to, subject, text, html } = delivered.message;
            Mail { to, subject, text, html }
        };
        mails.into_iter().map(mail).collect()
    }

    /// The newest mail to somebody.
    ///
    /// # Panics
    /// When there is none.
    pub async fn mail_to(&self, email: &str) -> Mail {
        let mail = self.mails().await.into_iter().find(|mail| mail.to == email);
        mail.unwrap_or_else(|| panic!("no mail went to {email}"))
    }

    /// The code in the newest mail to somebody.
    ///
    /// # Panics
    /// When there is none.
    pub async fn code_for(&self, email: &str) -> String {
        self.mail_to(email).await.code().unwrap_or_else(|| panic!("the newest mail to {email} has no code"))
    }

    /// Runs the job that hands mail to the SMTP server.
    ///
    /// # Panics
    /// When it fails.
    pub async fn send_mail(&self) {
        self.app().send_mail().await.expect("the job works");
    }

    /// The secret in the newest mail to somebody by which a password is reset.
    ///
    /// # Panics
    /// When there is none.
    pub async fn reset_for(&self, email: &str) -> String {
        let mail = self.mail_to(email).await;
        mail.reset().unwrap_or_else(|| panic!("the newest mail to {email} has no link: {mail:?}"))
    }

    /// Somebody without any credential.
    pub fn visitor(&self) -> Client {
        Client::new(self.http.clone(), self.base_url())
    }

    /// A browser with our own page: it keeps a cookie and is told no tokens.
    pub fn web(&self) -> Client {
        self.visitor().from_our_page()
    }

    /// Somebody with an anonymous account.
    pub async fn anonymous(&self) -> Client {
        let mut client = self.visitor();
        client.start_anonymously().await;
        client
    }

    /// Somebody who signed up with this address and [`PASSWORD`](crate::clients::PASSWORD).
    pub async fn user(&self, email: &str) -> Client {
        let mut client = self.visitor();
        client.sign_up(self, email).await;
        client
    }

    /// Somebody who signed up with this address, set an authenticator app up, was made an operator at the server's
    /// terminal, and signed in again with a second factor.
    ///
    /// # Panics
    /// When one of these is refused.
    pub async fn operator(&self, email: &str) -> Client {
        let user = self.user(email).await;
        let secret = user.post("/v1/me/factors/totp", json!({})).await.expect(200).text("/secret");
        let code = json!({"code": totp::code(&secret, self.now())});
        let codes = user.post("/v1/me/factors/totp/confirm", code).await.expect(201);
        let account = self.app().account_of(email).await.expect("the account is there");
        let granted = self.app().set_role(account, Role::Operator, true, Actor::CommandLine).await;
        granted.expect("the role can be given");
        let client = self.visitor();
        let challenge = client.sign_in(email).await.text("/challenge");
        let answer = json!({"challenge": challenge, "recovery_code": codes.text("/recovery_codes/0")});
        client.post("/v1/auth/mfa", answer).await.expect(200);
        client
    }

    /// Lines of the audit log about an account, the newest first.
    ///
    /// # Panics
    /// When they cannot be read.
    pub async fn audit(&self, account: &str) -> Vec<Line> {
        let account = account.parse().map(AccountId::from_uuid).expect("an account's id");
        let question = Question { account: Some(account), ..Question::default() };
        self.app().audit_page(question).await.expect("the log can be read").lines
    }
}

impl Mail {
    /// The secret of the link that resets a password, if the mail has one: behind the `#`.
    pub fn reset(&self) -> Option<String> {
        let (_, secret) = self.text.split_once("/reset#token=")?;
        Some(secret.split_whitespace().next().unwrap_or_default().to_owned())
    }

    /// The confirmation code, if the mail has one: it stands alone on an indented line.
    pub fn code(&self) -> Option<String> {
        let line = self.text.lines().find_map(|line| line.strip_prefix("    "))?;
        Some(line.trim().to_owned())
    }
}

/// Lets the data folder use one expanded gazetteer together with all others of this build: expanding it takes
/// longer than most stories.
///
/// # Panics
/// When the folder cannot be made.
pub fn share_places(data: &Path) {
    static SHARED: OnceLock<PathBuf> = OnceLock::new();
    let shared = SHARED.get_or_init(|| {
        let program = std::env::current_exe().expect("a running program has a path");
        let folder = program.parent().expect("a program lies in a folder").join("gazetteer-of-tests");
        // Here and not in the servers, so that two of one process do not both begin to expand it.
        Gazetteer::open(&folder).expect("the gazetteer opens");
        folder
    });
    std::fs::create_dir_all(data).expect("a data folder");
    std::os::unix::fs::symlink(shared, data.join("cache")).expect("a link to the shared places");
}
