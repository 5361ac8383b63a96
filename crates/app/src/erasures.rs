//! Removing accounts for good: at their owner's wish, and again when an older copy of the database has brought them
//! back.
//!
//! The ledger is a file beside the database, a line for each removed account: a time and a random id, nothing else. It
//! is only ever appended to, and belongs to every backup. When the newest of its lines is not in the database, that has
//! been put back, and what the ledger holds is removed once more, before anybody is served.

use std::collections::HashMap;
use std::fs::{File, OpenOptions};
use std::io::{BufRead, BufReader, Read, Seek, SeekFrom, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use domain::{AccountId, Error, Result, Timestamp};
use store::erasures::{self, Erasure};
use store::{CHUNK, accounts};
use uuid::Uuid;

use crate::App;
use crate::audit::{Actor, Entry, Event};
use crate::caller::{Caller, Client};
use crate::mail::{self, Notice};
use crate::sessions::lock_caller;

/// How often [`App::keep_ledger`] is to run.
pub const KEEP_EVERY: Duration = Duration::from_secs(20);
/// How long the database remembers a removal: long enough for a node that was away for a month.
pub(crate) const REMEMBERED: Duration = Duration::from_secs(35 * 24 * 60 * 60);
/// Behind the newest removal that was seen: one that began earlier may be committed later.
const OVERLAP: Duration = Duration::from_secs(300);
/// How long a copy from before an upgrade is kept: time enough to see that the newer version works.
const COPIES_KEPT: Duration = Duration::from_hours(24 * 7);

/// The file, and what of the database's rows is in it.
pub struct Ledger {
    path: PathBuf,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    /// Up to where the database's rows were taken over.
    seen: Timestamp,
    /// Removals since then, less the overlap, and when they were.
    taken: HashMap<AccountId, Timestamp>,
}

impl Ledger {
    pub fn at(path: PathBuf) -> Self {
        Self { path, state: Mutex::default() }
    }

    /// All lines, the oldest first. One that was cut off by a crash is passed over: its row is still in the database.
    fn lines(&self) -> Result<impl Iterator<Item = Erasure> + use<>> {
        let file = match File::open(&self.path) {
            Ok(file) => Some(file),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => None,
            Err(error) => return Err(self.failed(&error)),
        };
        let lines = file.into_iter().flat_map(|file| BufReader::new(file).split(b'\n'));
        // What a crash left in a line says nothing of those behind it.
        Ok(lines.map_while(std::result::Result::ok).filter_map(|line| parse(str::from_utf8(&line).ok()?)))
    }

    fn append(&self, removed: &[Erasure]) -> Result<()> {
        if removed.is_empty() {
            return Ok(());
        }
        let file = OpenOptions::new().append(true).create(true).mode(0o600).open(&self.path);
        // One that a crash has cut off must not take the next with it.
        let mut text = String::from(if self.ends_with_a_line() { "" } else { "\n" });
        text.extend(removed.iter().map(print));
        let written = file.and_then(|mut file| {
            file.write_all(text.as_bytes())?;
            file.sync_data()
        });
        written.map_err(|error| self.failed(&error))
    }

    /// Whether the file is empty, not there, or ends as it should.
    fn ends_with_a_line(&self) -> bool {
        let last = File::open(&self.path).and_then(|mut file| {
            file.seek(SeekFrom::End(-1))?;
            let mut last = [0];
            file.read_exact(&mut last)?;
            Ok(last == *b"\n")
        });
        last.unwrap_or(true)
    }

    fn failed(&self, error: &std::io::Error) -> Error {
        Error::internal(format_args!("the ledger of erasures {}: {error}", self.path.display()))
    }
}

/// A line of the ledger.
#[doc(hidden)]
pub fn parse(line: &str) -> Option<Erasure> {
    let (at, account) = line.split_once(' ')?;
    let account = Uuid::parse_str(account).ok().filter(|_| account.len() == 36)?;
    Some((AccountId::from_uuid(account), Timestamp::from_millis(at.parse().ok()?)))
}

/// The line that [`parse`] reads, with its end.
#[doc(hidden)]
pub fn print((account, at): &Erasure) -> String {
    format!("{} {}\n", at.millis(), account.uuid())
}

impl App {
    /// Removes the caller's account with all that is its own, at once and for good.
    pub async fn delete_me(&self, caller: &Caller, client: &Client) -> Result<()> {
        self.require_step_up(caller).await?;
        let (account, session, now) = (caller.account, caller.session, self.now());
        let notice = self.notice(account, Notice::AccountDeleted).await?;
        let entry =
            Entry::of(account, Event::AccountDeleted, now).network(Some(self.network_tag(client.network)));
        let app = self.clone();
        let ended = self
            .store
            .write(async move |tx| {
                // Asked again under its lock: of two requests at once one finds it gone.
                lock_caller(tx, account, session).await?;
                let ended = app.delete_account(tx, account, now, Some(entry.clone())).await?;
                mail::queue(tx, &notice).await?;
                Ok(ended)
            })
            .await?;
        self.data_keys.forget(account);
        self.favourite_pages.forget(account);
        self.forget_known_keys();
        self.revoke(ended, now);
        // The answer does not wait for it, and the job makes up for what goes wrong.
        let app = self.clone();
        tokio::spawn(async move {
            if let Err(error) = app.keep_ledger().await {
                tracing::warn!(%error, "an erasure is not in the ledger yet");
            }
        });
        Ok(())
    }

    /// Takes over what was removed since, here or at other nodes, and clears what is left of it in SQLite's log.
    pub async fn keep_ledger(&self) -> Result<()> {
        let now = self.now();
        let ledger = self.ledger.clone();
        let (mut at, mut appended) = (Timestamp::from_millis(0), false);
        {
            let state = ledger.state.lock().unwrap_or_else(PoisonError::into_inner);
            if state.seen > at {
                at = state.seen.minus(OVERLAP);
            }
        }
        let mut behind = (AccountId::from_uuid(Uuid::nil()), at);
        loop {
            let from = behind;
            let page = self.store.read(async move |db| erasures::since(db, from, CHUNK).await).await?;
            let Some(last) = page.last() else { break };
            behind = *last;
            let ledger = ledger.clone();
            let taken = tokio::task::spawn_blocking(move || ledger.take(&page));
            appended |= taken.await.map_err(Error::internal)??;
        }
        if appended {
            self.store.settle().await?;
        }
        let erased_at = self.ledger.state.lock().unwrap_or_else(PoisonError::into_inner).seen;
        // One that holds what was erased since would bring it back.
        for copy in self.store.remove_copies(erased_at.max(now.minus(COPIES_KEPT))).await? {
            tracing::info!(copy = %copy.display(), "a copy from before an upgrade has had its time and is gone");
        }
        self.in_chunks(async move |tx| erasures::expire(tx, now.minus(REMEMBERED)).await).await
    }

    /// Looks whether the database was put back to before the newest erasure, and if so repeats them all.
    pub(crate) async fn repeat_erasures(&self) -> Result<()> {
        let now = self.now();
        let ledger = self.ledger.clone();
        let read = tokio::task::spawn_blocking(move || {
            let mut newest = None;
            let mut state = State::default();
            for (account, at) in ledger.lines()? {
                if now.since(at) < REMEMBERED {
                    state.taken.insert(account, at);
                }
                newest = Some(account);
            }
            *ledger.state.lock().unwrap_or_else(PoisonError::into_inner) = state;
            Ok::<_, Error>(newest)
        });
        let Some(newest) = read.await.map_err(Error::internal)?? else { return Ok(()) };
        let known = self.store.read(async move |db| erasures::is_noted(db, newest).await).await?;
        if known {
            return Ok(());
        }
        let ledger = self.ledger.clone();
        let all = tokio::task::spawn_blocking(move || Ok::<_, Error>(ledger.lines()?.collect::<Vec<_>>()));
        let mut repeated = 0_usize;
        for (account, _) in all.await.map_err(Error::internal)?? {
            if self.erase_again(account, now).await? {
                repeated += 1;
            }
        }
        if repeated > 0 {
            tracing::warn!(
                repeated,
                "accounts that had been erased were in the database again; they are gone now"
            );
            self.store.settle().await?;
        }
        Ok(())
    }

    async fn erase_again(&self, account: AccountId, now: Timestamp) -> Result<bool> {
        let app = self.clone();
        let found = self.store.read(async move |db| accounts::data_key(db, account).await).await?.is_some();
        let entry = Entry::of(account, Event::AccountDeleted, now).actor(Actor::Server).word("restored");
        let ended = self
            .store
            .write(async move |tx| {
                if found {
                    return app.delete_account(tx, account, now, Some(entry.clone())).await;
                }
                erasures::put(tx, account, now).await?;
                Ok(Vec::new())
            })
            .await?;
        self.revoke(ended, now);
        Ok(found)
    }
}

impl Ledger {
    /// Appends those that it does not hold, and tells whether there were any.
    fn take(self: Arc<Self>, page: &[Erasure]) -> Result<bool> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let new: Vec<Erasure> =
            page.iter().filter(|(account, _)| !state.taken.contains_key(account)).copied().collect();
        self.append(&new)?;
        state.taken.extend(new.iter().copied());
        if let Some((_, at)) = page.last() {
            state.seen = state.seen.max(*at);
            let kept_from = state.seen.minus(OVERLAP);
            state.taken.retain(|_, at| *at >= kept_from);
        }
        Ok(!new.is_empty())
    }
}
