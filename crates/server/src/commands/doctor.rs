//! `doctor`: looks at everything a server needs, and says what to do about what is wrong.

use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use app::App;
use bus::Carrier;
use domain::{Error, Result};
use store::Identity;

use super::{print, privacy};
use crate::config::Config;
use crate::sign_in_providers;
use crate::start::{KEY_RING, Setup, open};

/// What a check found.
enum Finding {
    Good(String),
    /// Works, but somebody should know.
    Note(String),
    Bad(String),
}

#[derive(clap::Args)]
pub struct Options {
    /// Look instead whether anything that this account has saved stands somewhere in clear: in the data folder, and in
    /// the files named with --also
    #[arg(long, value_name = "EMAIL")]
    privacy: Option<String>,
    /// Further files or folders to look through: logs, or copies of a database
    #[arg(long, value_name = "PATH", num_args = 1.., requires = "privacy")]
    also: Vec<PathBuf>,
}

pub async fn run(setup: Setup, options: &Options) -> Result<()> {
    if let Some(email) = &options.privacy {
        return privacy::run(&setup, email, &options.also).await;
    }
    let config = &setup.config;
    let mut findings = vec![data(config), ring(&config.data), schema(config).await];
    match config.carrier() {
        Ok(Carrier::Postgres { url, pooled: Some(pooled) }) => findings.push(direct(&url, &pooled).await),
        Ok(_) => {}
        Err(error) => findings.push(Finding::Bad(error.to_string())),
    }
    findings.extend(copies(config));
    findings.extend(sign_in_providers(&setup).await);
    findings.push(mail(config).await);
    for line in config.unsafe_settings() {
        findings.push(Finding::Note(format!("`serve` would refuse to start: {line}")));
    }
    if findings.iter().any(|finding| matches!(finding, Finding::Bad(_))) {
        findings.push(Finding::Note(String::from("the rest was not looked at, because of the above")));
    } else {
        findings.extend(opened(&setup).await);
    }
    let mut bad = 0;
    for finding in &findings {
        let (mark, text) = match finding {
            Finding::Good(text) => ("ok  ", text),
            Finding::Note(text) => ("note", text),
            Finding::Bad(text) => {
                bad += 1;
                ("BAD ", text)
            }
        };
        print(&format!("{mark}  {text}\n"))?;
    }
    if bad == 0 { Ok(()) } else { Err(Error::internal(format!("{bad} of {} checks failed", findings.len()))) }
}

fn data(config: &Config) -> Finding {
    let folder = &config.data;
    match std::fs::metadata(folder) {
        Err(_) => Finding::Bad(format!(
            "there is no data folder {}: name it with --data, or start the server once",
            folder.display()
        )),
        Ok(meta) if meta.permissions().mode() & 0o077 != 0 => Finding::Note(format!(
            "the data folder {} can be read by others: chmod 700 {}",
            folder.display(),
            folder.display()
        )),
        Ok(_) => Finding::Good(format!("the data folder {} is there and private", folder.display())),
    }
}

/// Copies from before upgrades: they hold what was removed since.
fn copies(config: &Config) -> Vec<Finding> {
    let url = config.store_url().ok();
    let Some(file) = url.as_ref().and_then(|url| url.file()) else { return Vec::new() };
    // Without its folder there is no copy in it, and somebody else says so.
    let copies = store::copies_of(file).unwrap_or_default();
    let note = |copy: PathBuf| {
        Finding::Note(format!(
            "{} is a copy from before an upgrade and holds what was removed since: a server removes it at the next \
             removal of an account, and after seven days anyway",
            copy.display()
        ))
    };
    copies.into_iter().map(note).collect()
}

fn ring(data: &Path) -> Finding {
    if std::env::var_os(KEY_RING).is_some() {
        return Finding::Good(String::from("the key ring comes from the environment"));
    }
    let path = data.join("keys").join("ring");
    match vault::Ring::load(&path) {
        Ok(Some(_)) => Finding::Note(format!(
            "the key ring {} is sound; keep a copy of it elsewhere: without it nothing that is sealed can ever be read",
            path.display()
        )),
        Ok(None) => Finding::Bad(format!(
            "there is no key ring {}: put the copy back; a new one would not open what is sealed",
            path.display()
        )),
        Err(error) => Finding::Bad(error.to_string()),
    }
}

async fn schema(config: &Config) -> Finding {
    let url = match config.store_url() {
        Ok(url) => url,
        Err(error) => return Finding::Bad(error.to_string()),
    };
    if url.file().is_some_and(|file| !file.exists()) {
        return Finding::Bad(format!("there is no database {url:?}: start the server once"));
    }
    match store::migrate(&url, true).await {
        Ok(report) if report.pending.is_empty() => {
            Finding::Good(format!("the database {url:?} has all {} schema steps", report.present))
        }
        Ok(report) => Finding::Note(format!(
            "{} schema steps are missing in {url:?}; the next start runs them, `fairweather migrate --dry-run` shows them",
            report.pending.len()
        )),
        Err(error) => Finding::Bad(error.to_string()),
    }
}

/// Whether the server itself and the pooler lead to one database.
async fn direct(url: &str, pooled: &str) -> Finding {
    match (Identity::at(url).await, Identity::at(pooled).await) {
        (Ok(direct), Ok(pooled)) if direct == pooled => {
            Finding::Good(String::from("database_direct leads to the same database as database"))
        }
        (Ok(_), Ok(_)) => Finding::Bad(String::from(
            "database_direct leads to another database than database: nodes would not hear of one another",
        )),
        (Err(error), _) => Finding::Bad(format!("database_direct: {error}")),
        // Said where the schema was looked at.
        (_, Err(_)) => Finding::Note(String::from("database_direct was not compared with database")),
    }
}

/// Whether people could sign in through each provider.
async fn sign_in_providers(setup: &Setup) -> Vec<Finding> {
    let providers = match sign_in_providers::providers(&setup.config.providers) {
        Ok(providers) => providers,
        Err(error) => return vec![Finding::Bad(error.to_string())],
    };
    let mut findings = Vec::new();
    for provider in providers.iter() {
        let settings = provider.settings();
        let (name, issuer) = (&settings.name, &settings.issuer);
        match provider.check(setup.clock.now()).await {
            Ok(notes) => {
                findings.push(Finding::Good(format!("providers.{name}: {issuer} can be used")));
                let note = |note| Finding::Note(format!("providers.{name}: {note}"));
                findings.extend(notes.into_iter().map(note));
            }
            Err(error) => findings.push(Finding::Note(format!(
                "providers.{name}: nobody could sign in through {issuer} now: {error}"
            ))),
        }
    }
    findings
}

/// Whether the SMTP server talks to us. Nothing is sent.
async fn mail(config: &Config) -> Finding {
    match config.smtp() {
        Ok(None) => Finding::Note(String::from(
            "mail.url is not set: `serve` sends no mail, so nobody can register with an e-mail address or reset a password",
        )),
        Ok(Some(smtp)) => match smtp.check().await {
            Ok(()) => Finding::Good(String::from("the SMTP server answers and lets this server in")),
            Err(error) => Finding::Bad(format!("the SMTP server cannot be used: {error}")),
        },
        Err(error) => Finding::Bad(error.to_string()),
    }
}

async fn opened(setup: &Setup) -> Vec<Finding> {
    match open(setup).await {
        Ok((app, _lock)) if app.is_ready().await => {
            let good = "the database opens, its keys unwrap, and the gazetteer is loaded";
            let mut findings = vec![Finding::Good(String::from(good))];
            match logs(&app).await {
                Ok(found) => findings.extend(found),
                Err(error) => findings.push(Finding::Bad(error.to_string())),
            }
            findings
        }
        Ok(_) => vec![Finding::Bad(String::from("the database does not answer"))],
        Err(error) if error.to_string().contains("in use by another") => vec![Finding::Note(String::from(
            "a server is running on this data; stop it to have the rest looked at",
        ))],
        Err(error) => vec![Finding::Bad(error.to_string())],
    }
}

/// Faults that are told one by one; the rest are counted.
const TOLD: usize = 20;
/// After so many accounts a word is said, so that nobody thinks it hangs.
const PROGRESS: usize = 10_000;

/// Whether every account's log agrees with its rows.
async fn logs(app: &App) -> Result<Vec<Finding>> {
    let (mut findings, mut accounts, mut wrong, mut after) = (Vec::new(), 0_usize, 0_usize, None);
    loop {
        let checked = app.check_logs(after).await?;
        for (account, fault) in &checked.wrong {
            wrong += 1;
            if wrong <= TOLD {
                findings.push(Finding::Bad(format!("the log of account {account}: {fault}")));
            }
        }
        if (accounts + checked.accounts) / PROGRESS > accounts / PROGRESS {
            eprintln!("{} logs are checked", accounts + checked.accounts);
        }
        accounts += checked.accounts;
        after = checked.next;
        if after.is_none() {
            break;
        }
    }
    if wrong == 0 {
        findings
            .push(Finding::Good(format!("the logs of all {accounts} accounts agree with their favourites")));
    } else {
        findings.push(Finding::Note(format!(
            "{wrong} faults in the logs of {accounts} accounts: put a backup back, then run `fairweather sync new-era`"
        )));
    }
    Ok(findings)
}
