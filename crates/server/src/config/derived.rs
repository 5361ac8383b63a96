//! What follows from the settings: where the database is, how nodes hear of one another, what takes mail.

use std::time::Duration;

use domain::{Error, Result};
use upstream::smtp::{Smtp, SmtpSettings};

use super::{Config, Mail, safety};

impl Config {
    /// The database, by default a file in the data folder.
    pub fn store_url(&self) -> Result<store::Url> {
        match &self.database {
            Some(url) => url.parse(),
            None => Ok(store::Url::Sqlite(self.data.join("fairweather.db"))),
        }
    }

    /// How this node and others on the same database hear of one another.
    ///
    /// # Errors
    /// When nodes are said to share something, but have no database in common, and when `database_direct` cannot be
    /// what it is for.
    pub fn carrier(&self) -> Result<bus::Carrier> {
        let direct = self.direct()?;
        match (self.store_url()?, &self.redis) {
            (store::Url::Sqlite(_), Some(_)) => Err(Error::internal(
                "redis is set (--redis, FAIRWEATHER_REDIS or REDIS_URL), but the database is a SQLite file, which \
                 belongs to one process: leave redis out, or give the nodes one PostgreSQL with --database postgres://…",
            )),
            (store::Url::Sqlite(_), None) if direct.is_some() => Err(Error::internal(
                "database_direct is set, but the database is a SQLite file: leave it out, or give --database postgres://…",
            )),
            (store::Url::Sqlite(_), None) => Ok(bus::Carrier::None),
            (store::Url::Postgres(_), Some(url)) => Ok(bus::Carrier::Redis { url: url.clone() }),
            (store::Url::Postgres(pooled), None) => Ok(match direct {
                Some(url) => bus::Carrier::Postgres { url, pooled: Some(pooled) },
                None => bus::Carrier::Postgres { url: pooled, pooled: None },
            }),
        }
    }

    /// Where PostgreSQL itself is, if that was said.
    fn direct(&self) -> Result<Option<String>> {
        let Some(text) = &self.database_direct else { return Ok(None) };
        match text.parse() {
            Ok(store::Url::Postgres(url)) => match store::Target::parse(&url) {
                Ok(_) => Ok(Some(url)),
                Err(error) => Err(Error::internal(format!("database_direct: {error}"))),
            },
            _ => Err(Error::internal(
                "database_direct must be postgres://… of the server itself, where `database` leads to a pooler",
            )),
        }
    }

    /// What takes mail, if anything was said of it.
    ///
    /// # Errors
    /// When a setting does not fit; the text names it and holds no password.
    pub fn smtp(&self) -> Result<Option<Smtp>> {
        let Mail { url, from, authority, timeout_s } = &self.mail;
        let Some(url) = url else { return Ok(None) };
        let from = from.as_deref().ok_or_else(|| {
            Error::internal(
                "mail.from is not set: say who mail comes from, e.g. Fairweather <weather@example.org>",
            )
        })?;
        let authority = authority.as_ref().map(|path| {
            std::fs::read(path)
                .map_err(|error| Error::internal(format!("mail.authority {}: {error}", path.display())))
        });
        let authority = authority.transpose()?;
        let public =
            self.public_url.as_deref().and_then(safety::origin).and_then(|url| url.split_once("://"));
        let hello = public.map_or("localhost", |(_, host)| host.split(':').next().unwrap_or(host));
        let settings = SmtpSettings {
            url,
            from,
            authority: authority.as_deref(),
            hello,
            patience: Duration::from_secs((*timeout_s).clamp(1, 120)),
        };
        Smtp::new(&settings).map(Some)
    }

    /// How long `serve` goes on after it was told to stop. One process has no balancer in front that looks.
    pub fn drain(&self) -> Result<Duration> {
        let usual = if self.store_url()?.file().is_some() { 0 } else { 5 };
        Ok(Duration::from_secs(self.drain_s.unwrap_or(usual)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nodes_need_a_database_in_common() {
        let mut config = Config { redis: Some(String::from("redis://127.0.0.1")), ..Config::default() };
        assert!(config.carrier().err().unwrap().to_string().contains("--redis"));
        config.database = Some(String::from("postgres://pooler/fairweather"));
        assert!(matches!(config.carrier(), Ok(bus::Carrier::Redis { url }) if url == "redis://127.0.0.1"));
        config.redis = None;
        let carrier = config.carrier();
        assert!(
            matches!(carrier, Ok(bus::Carrier::Postgres { url, pooled: None }) if url.contains("pooler"))
        );
        config.database_direct = Some(String::from("postgres://database/fairweather"));
        let Ok(bus::Carrier::Postgres { url, pooled: Some(pooled) }) = config.carrier() else { panic!() };
        assert!(url.contains("//database") && pooled.contains("//pooler"));
        config.database = None;
        assert!(config.carrier().err().unwrap().to_string().contains("database_direct"));
    }

    #[test]
    fn the_server_itself_is_a_postgresql() {
        let mut config =
            Config { database: Some(String::from("postgres://pooler/fairweather")), ..Config::default() };
        for wrong in ["sqlite:foo", "nonsense", "", "postgres://u:secret@db/f?sslmode=always"] {
            config.database_direct = Some(String::from(wrong));
            for redis in [None, Some(String::from("redis://127.0.0.1"))] {
                config.redis = redis;
                let text = config.carrier().err().expect(wrong).to_string();
                assert!(text.contains("database_direct") && !text.contains("secret"), "{text}");
            }
        }
    }
}
