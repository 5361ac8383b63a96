//! `doctor`: looks at everything a server needs, and says what to do about what is wrong.

use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use domain::{Error, Result};

use super::print;
use crate::config::Config;
use crate::start::{Setup, open};

/// What a check found.
enum Finding {
    Good(String),
    /// Works, but somebody should know.
    Note(String),
    Bad(String),
}

pub async fn run(setup: Setup) -> Result<()> {
    let config = &setup.config;
    let mut findings = vec![data(config), ring(&config.data), schema(config).await];
    for line in config.unsafe_settings() {
        findings.push(Finding::Note(format!("`serve` would refuse to start: {line}")));
    }
    if findings.iter().any(|finding| matches!(finding, Finding::Bad(_))) {
        findings.push(Finding::Note(String::from("the rest was not looked at, because of the above")));
    } else {
        findings.push(opened(&setup).await);
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

fn ring(data: &Path) -> Finding {
    if std::env::var_os("FAIRWEATHER_KEY_RING").is_some() {
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

async fn opened(setup: &Setup) -> Finding {
    match open(setup, None).await {
        Ok((app, _lock)) if app.is_ready().await => {
            Finding::Good(String::from("the database opens, its keys unwrap, and the gazetteer is loaded"))
        }
        Ok(_) => Finding::Bad(String::from("the database does not answer")),
        Err(error) if error.to_string().contains("in use by another") => Finding::Note(String::from(
            "a server is running on this data; stop it to have the rest looked at",
        )),
        Err(error) => Finding::Bad(error.to_string()),
    }
}
