//! After the key ring was rotated: everything that an older key wrapped is wrapped anew, while the server goes on.
//!
//! Only keys are rewrapped, never what they seal. What lives for hours only (sign-ups, mail) is left to expire.

use std::sync::PoisonError;

use domain::{AccountId, Result};
use store::wrapped::{self, Made};
use store::{CHUNK, accounts, secrets};
use uuid::Uuid;
use vault::{Context, Ring};

use crate::audit::{self, Actor, Entry, Event};
use crate::{App, signing_keys};

/// How often [`App::follow_ring`] is to run.
pub const FOLLOW_EVERY: std::time::Duration = std::time::Duration::from_secs(3);

/// Where a random key of the installation counts as stored.
pub(crate) const fn secret_place(name: &'static str) -> Context {
    Context::server("server_secret", Uuid::nil(), name)
}

/// The installation's random keys by name.
pub(crate) const SECRETS: [&str; 2] = ["index", "refresh"];

impl App {
    /// Reads the ring again, and wraps anew what needs it: when its file has changed, and again when that failed.
    pub async fn follow_ring(&self) -> Result<()> {
        let ring = self.ring.clone();
        let changed = tokio::task::spawn_blocking(move || ring.reload());
        if changed.await.map_err(domain::Error::internal)?? {
            tracing::info!(active = %self.ring.ring().active_id(), "the key ring has changed");
        }
        let active = self.ring.ring().active_id();
        if *self.rewrapped_for.lock().unwrap_or_else(PoisonError::into_inner) == Some(active) {
            return Ok(());
        }
        let rewrapped = self.rewrap().await?;
        if rewrapped > 0 {
            tracing::info!(rewrapped, "everything is wrapped by the new key");
        }
        *self.rewrapped_for.lock().unwrap_or_else(PoisonError::into_inner) = Some(active);
        Ok(())
    }

    /// Wraps anew with the ring's active key what others have wrapped, and tells how much that was.
    pub async fn rewrap(&self) -> Result<u64> {
        let ring = self.ring.ring();
        let mut rewrapped = self.rewrap_secrets(&ring).await?;
        let mut after = AccountId::from_uuid(Uuid::nil());
        loop {
            let page = self.store.read(async move |db| accounts::data_keys(db, after, CHUNK).await).await?;
            let Some((last, _)) = page.last() else { return Ok(rewrapped) };
            after = *last;
            let mut changes = Vec::new();
            for (account, old) in page {
                if let Some(new) = ring.rewrap(&Ring::data_key_place(account), &old, &self.random)? {
                    changes.push((account, new, old));
                }
            }
            if changes.is_empty() {
                continue;
            }
            rewrapped += changes.len() as u64;
            self.store
                .write(async move |tx| {
                    for (account, new, old) in &changes {
                        accounts::rewrap(tx, *account, new, old).await?;
                    }
                    Ok(())
                })
                .await?;
        }
    }

    /// Writes into the log that retired keys of the ring were dropped.
    pub async fn note_forgotten_ring_keys(&self) -> Result<()> {
        let entry = Entry::by(Actor::CommandLine, Event::KeyRingRotated, self.now()).word("dropped");
        let random = self.random.clone();
        Ok(self.store.write(async move |tx| audit::record(tx, &random, &entry).await).await?)
    }

    /// Tables, and how many of their values another key than the ring's active one has wrapped.
    pub async fn wrapped_by_others(&self) -> Result<Vec<(&'static str, i64)>> {
        let prefix = self.ring.ring().active_prefix();
        Ok(self.store.read(async move |db| wrapped::left(db, prefix).await).await?)
    }

    async fn rewrap_secrets(&self, ring: &Ring) -> Result<u64> {
        let (secrets, keys, made) = self
            .store
            .read(async |db| {
                Ok((secrets::all(db).await?, secrets::signing_keys(db).await?, wrapped::made(db).await?))
            })
            .await?;
        let mut changes = Vec::new();
        for (name, old) in secrets {
            let Some(known) = SECRETS.into_iter().find(|known| *known == name) else { continue };
            if let Some(new) = ring.rewrap(&secret_place(known), &old, &self.random)? {
                changes.push((Which::Secret(name), new, old));
            }
        }
        for key in keys {
            if let Some(new) = ring.rewrap(&signing_keys::PLACE, &key.wrapped, &self.random)? {
                changes.push((Which::SigningKey(key.kid), new, key.wrapped));
            }
        }
        for (made, id, old) in made {
            let place = Ring::data_key_place(AccountId::from_uuid(id));
            if let Some(new) = ring.rewrap(&place, &old, &self.random)? {
                changes.push((Which::Made(made, id), new, old));
            }
        }
        let count = changes.len() as u64;
        if changes.is_empty() {
            return Ok(0);
        }
        let random = self.random.clone();
        let entry = Entry::by(Actor::Server, Event::KeyRingRotated, self.now()).word("activated");
        self.store
            .write(async move |tx| {
                for (which, new, old) in &changes {
                    match which {
                        Which::Secret(name) => {
                            // Of all nodes that follow a rotation one is first here, and tells of it.
                            if secrets::rewrap(tx, name, new, old).await? && name == SECRETS[0] {
                                audit::record(tx, &random, &entry).await?;
                            }
                        }
                        Which::SigningKey(kid) => secrets::rewrap_signing_key(tx, kid, new, old).await?,
                        Which::Made(made, id) => wrapped::rewrap_made(tx, *made, *id, new, old).await?,
                    }
                }
                Ok(())
            })
            .await?;
        Ok(count)
    }
}

/// Where a wrapped value stands.
enum Which {
    Secret(String),
    SigningKey(String),
    Made(Made, Uuid),
}
