//! Removing accounts for good: at their owner's wish, and again when an older copy of the database has brought them
//! back.
//!
//! The ledger is a file beside the database, a line for each removed account: a time and a random id, nothing else. It
//! is only ever appended to, and belongs to every backup. A line that the database ought to remember and does not shows
//! that it has been put back, and what the ledger holds is removed once more. Every line is looked at when a server
//! starts, before anybody is served; the newest one while it runs, before anything is appended behind it, since nodes
//! on PostgreSQL live on while their database is put back.

use std::collections::HashMap;
use std::fs::{File, OpenOptions};
use std::io::{BufRead, BufReader, Read, Seek, SeekFrom, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use domain::{AccountId, Error, Result, Timestamp};
use store::erasures::{self, Erasure};
use store::{CHUNK, Tx, accounts};
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
    /// Held by whoever looks and appends: one who appends between the look of another and what follows from it would
    /// hide from everybody that lines are missing in the database.
    turn: tokio::sync::Mutex<()>,
}

#[derive(Default)]
struct State {
    /// The last line.
    newest: Option<Erasure>,
    /// Up to where the database's rows were taken over.
    seen: Timestamp,
    /// Removals since then, less the overlap, and when they were.
    taken: HashMap<AccountId, Timestamp>,
}

/// Whether the database remembers a removal of this time for certain.
fn is_remembered(at: Timestamp, now: Timestamp) -> bool {
    now.since(at) < REMEMBERED.saturating_sub(OVERLAP)
}

impl Ledger {
    pub fn at(path: PathBuf) -> Self {
        Self { path, state: Mutex::default(), turn: tokio::sync::Mutex::default() }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The last line, and behind which of the database's rows there may be some that are not in the file.
    fn place(&self) -> (Option<Erasure>, Erasure) {
        let state = self.state();
        let from = state.seen.minus(OVERLAP).max(Timestamp::from_millis(0));
        (state.newest, (AccountId::from_uuid(Uuid::nil()), from))
    }

    /// Learns from the file what is in it.
    async fn load(self: &Arc<Self>, now: Timestamp) -> Result<()> {
        let ledger = self.clone();
        let loaded = tokio::task::spawn_blocking(move || {
            let mut state = State::default();
            for (account, at) in ledger.lines()? {
                if now.since(at) < REMEMBERED {
                    state.taken.insert(account, at);
                }
                state.newest = Some((account, at));
            }
            *ledger.state() = state;
            Ok(())
        });
        loaded.await.map_err(Error::internal)?
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
        self.forget_account(account);
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

    /// Takes over what was removed since, here or at other nodes, and clears what is left of it in SQLite's log. Where
    /// the database was put back meanwhile, what the ledger holds is removed once more.
    pub async fn keep_ledger(&self) -> Result<()> {
        let now = self.now();
        let ledger = self.ledger.clone();
        let turn = ledger.turn.lock().await;
        let (mut appended, mut repeated) = (false, false);
        let (mut newest, mut behind) = ledger.place();
        loop {
            // On one connection, which ends with the server it leads to: what was looked at is what is appended to.
            let from = behind;
            let (noted, page) = self
                .store
                .read(async move |db| {
                    let noted = match newest {
                        Some((account, _)) => erasures::noted(db, &[account]).await?.pop().flatten(),
                        None => None,
                    };
                    Ok((noted, erasures::since(db, from, CHUNK).await?))
                })
                .await?;
            // One that is too old to be remembered tells nothing. Before something newer hides it, all are looked at.
            let is_missing = newest
                .is_some_and(|(_, at)| noted != Some(at) && (is_remembered(at, now) || !page.is_empty()));
            if is_missing && !repeated {
                self.repeat_erasures(now).await?;
                repeated = true;
                (newest, behind) = ledger.place();
                continue;
            }
            let Some(last) = page.last() else { break };
            behind = *last;
            let ledger = ledger.clone();
            let taken = tokio::task::spawn_blocking(move || ledger.take(&page));
            appended |= taken.await.map_err(Error::internal)??;
            (newest, _) = self.ledger.place();
        }
        drop(turn);
        if appended {
            self.store.settle().await?;
        }
        let erased_at = self.ledger.state().seen;
        // One that holds what was erased since would bring it back.
        for copy in self.store.remove_copies(erased_at.max(now.minus(COPIES_KEPT))).await? {
            tracing::info!(copy = %copy.display(), "a copy from before an upgrade has had its time and is gone");
        }
        self.in_chunks(async move |tx| erasures::expire(tx, now.minus(REMEMBERED)).await).await
    }

    /// Looks, before anybody is served, whether the database lacks a removal that is in the ledger, and if so repeats
    /// them all. Not only the newest: a later one may have been appended before anybody noticed.
    pub(crate) async fn compare_ledger(&self) -> Result<()> {
        let now = self.now();
        let ledger = self.ledger.clone();
        let _turn = ledger.turn.lock().await;
        ledger.load(now).await?;
        let (newest, _) = ledger.place();
        let Some((_, newest_at)) = newest else { return Ok(()) };
        // Whether the database has forgotten all lines by now, or never knew them, cannot be told.
        let is_sound = is_remembered(newest_at, now) && self.remembers_all(now).await?;
        if is_sound { Ok(()) } else { self.repeat_erasures(now).await }
    }

    /// Whether each line that is young enough is in the database.
    async fn remembers_all(&self, now: Timestamp) -> Result<bool> {
        let mut wanted = self.ledger.state().taken.clone();
        wanted.retain(|_, at| is_remembered(*at, now));
        let mut behind = (AccountId::from_uuid(Uuid::nil()), Timestamp::from_millis(0));
        while !wanted.is_empty() {
            let from = behind;
            let page = self.store.read(async move |db| erasures::since(db, from, CHUNK).await).await?;
            let Some(last) = page.last() else { break };
            behind = *last;
            for (account, at) in page {
                if wanted.get(&account) == Some(&at) {
                    wanted.remove(&account);
                }
            }
        }
        Ok(wanted.is_empty())
    }

    /// Removes once more whom the ledger holds, and lets the database remember what it ought to. The newest line comes
    /// last, so that one who is interrupted begins again; what is remembered anew gets a new time, which tells nodes
    /// whose ledgers hold more that they have to do the same.
    async fn repeat_erasures(&self, now: Timestamp) -> Result<()> {
        let ledger = self.ledger.clone();
        let lines = tokio::task::spawn_blocking(move || Ok::<_, Error>(ledger.lines()?.collect::<Vec<_>>()));
        let mut repeated = 0_usize;
        for chunk in lines.await.map_err(Error::internal)??.chunks(CHUNK.unsigned_abs() as usize) {
            let accounts: Vec<AccountId> = chunk.iter().map(|(account, _)| *account).collect();
            let (there, noted) = self
                .store
                .read(async move |db| {
                    let there = accounts::are_there(db, &accounts).await?;
                    Ok((there, erasures::noted(db, &accounts).await?))
                })
                .await?;
            let mut forgotten = Vec::new();
            for ((&(account, at), is_there), noted) in chunk.iter().zip(there).zip(noted) {
                if is_there {
                    self.erase_again(account, now).await?;
                    repeated += 1;
                } else if noted.is_none() && is_remembered(at, now) {
                    forgotten.push(account);
                }
            }
            if !forgotten.is_empty() {
                let put = async move |tx: &mut Tx| {
                    for account in &forgotten {
                        erasures::put(tx, *account, now).await?;
                    }
                    Ok(())
                };
                self.store.write(put).await?;
            }
        }
        if repeated > 0 {
            tracing::warn!(
                repeated,
                "accounts that had been erased were in the database again; they are gone now"
            );
            self.store.settle().await?;
        }
        // The rows of the older database are other rows than those that were taken over.
        self.ledger.load(now).await
    }

    async fn erase_again(&self, account: AccountId, now: Timestamp) -> Result<()> {
        let app = self.clone();
        let entry = Entry::of(account, Event::AccountDeleted, now).actor(Actor::Server).word("restored");
        let ended = self
            .store
            .write(async move |tx| {
                // Asked again under its lock: of two nodes at once one finds it gone.
                if accounts::lock(tx, account).await?.is_none() {
                    return Ok(Vec::new());
                }
                app.delete_account(tx, account, now, Some(entry.clone())).await
            })
            .await?;
        self.forget_account(account);
        self.revoke(ended, now);
        Ok(())
    }

    /// Drops what this node remembers of an account that is gone.
    fn forget_account(&self, account: AccountId) {
        self.data_keys.forget(account);
        self.favourite_pages.forget(account);
        self.forecast_lists.forget(account);
        self.forget_known_keys();
    }
}

impl Ledger {
    /// Appends those that it does not hold, and tells whether there were any.
    fn take(self: Arc<Self>, page: &[Erasure]) -> Result<bool> {
        let mut state = self.state();
        // One that was repeated is new: its line has another time.
        let new: Vec<Erasure> =
            page.iter().filter(|(account, at)| state.taken.get(account) != Some(at)).copied().collect();
        self.append(&new)?;
        state.newest = new.last().copied().or(state.newest);
        state.taken.extend(new.iter().copied());
        if let Some((_, at)) = page.last() {
            state.seen = state.seen.max(*at);
            let kept_from = state.seen.minus(OVERLAP);
            state.taken.retain(|_, at| *at >= kept_from);
        }
        Ok(!new.is_empty())
    }
}
