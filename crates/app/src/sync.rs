//! A device's batch: its mutations, then what changed elsewhere.

use std::collections::HashMap;

use domain::change::Delta;
use domain::cursor::{Cursor, Reset};
use domain::mutation::{Lost, Mutation, Op, Outcome, Refusal, Status, Step};
use domain::{AccountId, Error, Invalid, Result, Timestamp};
use store::Tx;
use store::receipts::{self, Receipt};
use uuid::Uuid;
use vault::DataKey;

use crate::App;
use crate::caller::Caller;
use crate::changes::MOST_CHANGES;
use crate::data_keys::context;
use crate::favourites::writer::Writer;
use crate::favourites::{Draft, unknown_place};

/// Mutations of one batch.
pub const MOST_MUTATIONS: usize = 100;

/// What a device sends.
#[derive(Clone, Debug, PartialEq)]
pub struct Batch {
    /// Of the client's own making, one per installation.
    pub device: Uuid,
    /// How far the device knows the log; `None` when it is about to take the snapshot.
    pub since: Option<Result<Cursor, Reset>>,
    /// In the order in which they were made. One that does not fit is answered with its outcome.
    pub mutations: Vec<Result<Mutation, Outcome>>,
}

/// What the device is answered.
#[derive(Clone, Debug, PartialEq)]
pub struct Synced {
    /// One per mutation, in their order.
    pub results: Vec<Outcome>,
    /// What changed since the device's cursor, its own mutations included.
    pub delta: Option<Delta>,
    /// Why that cannot be told.
    pub reset: Option<Reset>,
}

/// A mutation with all that needs no database done.
struct Prepared {
    mutation: Mutation,
    digest: [u8; 32],
    /// The favourite to create, sealed; or what does not fit about it.
    draft: Option<Result<Draft, Vec<Invalid>>>,
}

impl App {
    /// Applies a batch in one transaction and tells what changed since the device's cursor. A cursor that cannot be
    /// continued from never keeps mutations from being applied.
    pub async fn sync(&self, caller: &Caller, batch: Batch) -> Result<Synced> {
        let Batch { device, since, mutations } = batch;
        if mutations.len() > MOST_MUTATIONS {
            let detail = format!("must hold at most {MOST_MUTATIONS} mutations");
            return Err(Invalid::new("/mutations", "out_of_range", detail).into());
        }
        let account = caller.account;
        if !mutations.is_empty() {
            self.limit_mutations(account, u32::try_from(mutations.len()).unwrap_or(u32::MAX))?;
        }
        let (results, reset) = if mutations.iter().any(Result::is_ok) {
            let before = since.and_then(Result::ok);
            self.apply(account, device, before, mutations).await?
        } else {
            (mutations.into_iter().filter_map(Result::err).collect(), None)
        };
        let told = match (since, reset) {
            (None, _) => return Ok(Synced { results, delta: None, reset: None }),
            (Some(Err(reset)), _) | (Some(Ok(_)), Some(reset)) => Err(reset),
            // After the commit, so that nobody else's writes wait for this read; the delta reaches at least as far.
            (Some(Ok(since)), None) => self.changes_since(account, since, MOST_CHANGES).await?,
        };
        Ok(Synced { results, reset: told.as_ref().err().copied(), delta: told.ok() })
    }

    /// Applies mutations, and judges the cursor by the log as it was before: a cursor beyond its head must not come
    /// to look right because of what is applied here.
    async fn apply(
        &self,
        account: AccountId,
        device: Uuid,
        since: Option<Cursor>,
        mutations: Vec<Result<Mutation, Outcome>>,
    ) -> Result<(Vec<Outcome>, Option<Reset>)> {
        let now = self.now();
        let key = self.data_keys.get(account).await?;
        let mut prepared = Vec::with_capacity(mutations.len());
        for mutation in mutations {
            prepared.push(match mutation {
                Ok(mutation) => Ok(self.prepare(&key, account, device, mutation)?),
                Err(outcome) => Err(outcome),
            });
        }
        let app = self.clone();
        let applied = self.store.write(async move |tx| {
            let mut writer = Writer::lock(tx, &app, account, &key, device, now).await?;
            let reset = since.and_then(|since| writer.check(since).err());
            let desk = Desk { app: &app, account, device, key: &key, now };
            let mut file = Receipts::read(tx, account, &prepared, now).await?;
            let mut results = Vec::with_capacity(prepared.len());
            for mutation in &prepared {
                results.push(match mutation {
                    Ok(mutation) => desk.settle(tx, &mut writer, &mut file, mutation).await?,
                    Err(outcome) => outcome.clone(),
                });
            }
            file.write(tx, account).await?;
            writer.raise(tx).await?;
            Ok((results, reset))
        });
        Ok(applied.await?)
    }

    fn prepare(
        &self,
        key: &DataKey,
        account: AccountId,
        device: Uuid,
        mutation: Mutation,
    ) -> Result<Prepared> {
        let parts = mutation.parts();
        let parts: Vec<&[u8]> = parts.iter().map(Vec::as_slice).collect();
        let digest = self.index.request_digest(&parts);
        let draft = match &mutation.op {
            Op::Create(new) => Some(self.draft(key, account, mutation.id, new.clone(), device)),
            Op::Update(patch) if !self.knows_place(patch) => Some(Err(unknown_place())),
            Op::Update(_) | Op::Delete => None,
        };
        let draft = match draft {
            Some(Err(Error::Invalid(errors))) => Some(Err(errors)),
            Some(draft) => Some(Ok(draft?)),
            None => None,
        };
        Ok(Prepared { mutation, digest, draft })
    }
}

/// The receipts of a batch: read together before it and written together after it, since each would cost a round trip
/// to the database while the account's log is locked.
struct Receipts {
    known: HashMap<String, Receipt>,
    /// Those that are new, in the order of their mutations, and how long they are kept.
    new: Vec<(String, Timestamp)>,
}

impl Receipts {
    async fn read(
        tx: &mut Tx,
        account: AccountId,
        prepared: &[Result<Prepared, Outcome>],
        now: Timestamp,
    ) -> store::Result<Self> {
        let mids: Vec<String> =
            prepared.iter().flatten().map(|prepared| prepared.mutation.mid.to_string()).collect();
        let found = receipts::get_many(tx, account, &mids, now).await?;
        let known = mids.into_iter().zip(found).filter_map(|(mid, receipt)| Some((mid, receipt?))).collect();
        Ok(Self { known, new: Vec::new() })
    }

    fn note(&mut self, mid: String, receipt: Receipt, until: Timestamp) {
        self.new.push((mid.clone(), until));
        self.known.insert(mid, receipt);
    }

    async fn write(&self, tx: &mut Tx, account: AccountId) -> store::Result<()> {
        let receipt =
            |(mid, until): &'_ (String, Timestamp)| Some((mid.clone(), self.known.get(mid)?.clone(), *until));
        let new: Vec<(String, Receipt, Timestamp)> = self.new.iter().filter_map(receipt).collect();
        receipts::put_many(tx, account, &new).await
    }
}

/// Whose mutations are settled, and when.
struct Desk<'a> {
    app: &'a App,
    account: AccountId,
    device: Uuid,
    key: &'a DataKey,
    now: Timestamp,
}

impl Desk<'_> {
    /// Applies one mutation, or finds out what became of it when it came before, and leaves a receipt.
    async fn settle(
        &self,
        tx: &mut Tx,
        writer: &mut Writer<'_>,
        file: &mut Receipts,
        prepared: &Prepared,
    ) -> store::Result<Outcome> {
        let mutation = &prepared.mutation;
        let mid = mutation.mid.to_string();
        if let Some(receipt) = file.known.get(&mid) {
            return self.repeated(tx, writer, prepared, receipt).await;
        }
        let remembered_until = match mutation.remembered_until(self.now) {
            Ok(until) => until,
            Err((why, errors)) => {
                return Ok(Outcome { errors, ..Outcome::new(mutation.mid, Status::Refused(why)) });
            }
        };
        let done = writer.attempt(tx, async |tx, writer| self.carry_out(tx, writer, prepared).await).await;
        let outcome = match done {
            Ok(outcome) => outcome,
            Err(store::Error::Domain(Error::Invalid(errors))) => Outcome::invalid_set(mutation.mid, &errors),
            Err(store::Error::Domain(Error::Conflict { code, detail })) => {
                let refusal = Refusal::ALL.into_iter().find(|refusal| refusal.as_str() == code);
                let refusal = refusal.ok_or(Error::Conflict { code, detail })?;
                Outcome::new(mutation.mid, Status::Refused(refusal))
            }
            Err(error) => return Err(error),
        };
        if let Some((status, rev)) = noted(outcome.status) {
            let receipt = Receipt {
                digest: prepared.digest.to_vec(),
                status,
                rev,
                item_id: Some(mutation.id.uuid()),
                answer: self.seal(mutation.mid, &outcome.overwrote)?,
            };
            file.note(mid, receipt, remembered_until);
        }
        Ok(outcome)
    }

    async fn carry_out(
        &self,
        tx: &mut Tx,
        writer: &mut Writer<'_>,
        prepared: &Prepared,
    ) -> store::Result<Outcome> {
        let Prepared { mutation, draft, .. } = prepared;
        let draft = match draft {
            Some(Err(errors)) => return Ok(Outcome::invalid_set(mutation.mid, errors)),
            Some(Ok(draft)) => Some(draft),
            None => None,
        };
        let answer = |status| Outcome::new(mutation.mid, status);
        let found = writer.find(tx, mutation.id).await?;
        Ok(match (mutation.judge(&found), draft) {
            (Err(refusal), _) => Outcome { item: found.live().cloned(), ..answer(Status::Refused(refusal)) },
            (Ok(Step::Create), Some(draft)) => {
                let item = writer.create(tx, mutation.id, draft).await?;
                Outcome { item: Some(item.clone()), ..answer(Status::Applied(item.rev)) }
            }
            (Ok(Step::Create), None) => {
                return Err(Error::internal("a creation was not prepared").into());
            }
            (Ok(Step::Change(before, patch)), _) => {
                let after = writer.patch(tx, before.clone(), patch).await?;
                let is_same = after.rev == before.rev;
                let status = if is_same { Status::Noop } else { Status::Applied(after.rev) };
                let overwrote = mutation.overwrote(before, &after, self.device);
                Outcome { overwrote, item: Some(after), ..answer(status) }
            }
            (Ok(Step::Remove(before)), _) => {
                let rev = writer.remove(tx, before).await?;
                answer(Status::Applied(rev))
            }
            (Ok(Step::Nothing), _) => answer(Status::Noop),
        })
    }

    /// A mutation that came before: what became of it then, and the item as it is now.
    async fn repeated(
        &self,
        tx: &mut Tx,
        writer: &Writer<'_>,
        prepared: &Prepared,
        receipt: &Receipt,
    ) -> store::Result<Outcome> {
        let mid = prepared.mutation.mid;
        if receipt.digest != prepared.digest {
            return Ok(Outcome::new(mid, Status::Refused(Refusal::MidReused)));
        }
        let status = repeated(receipt.status, receipt.rev)
            .ok_or_else(|| Error::internal("a receipt has no known outcome"))?;
        let overwrote = match &receipt.answer {
            Some(sealed) => self.open(mid, sealed)?,
            None => Vec::new(),
        };
        let item = writer.find(tx, prepared.mutation.id).await?.live().cloned();
        Ok(Outcome { overwrote, item, ..Outcome::new(mid, status) })
    }

    /// What was lost is told again to a device that did not get the first answer.
    fn seal(&self, mid: Uuid, overwrote: &[Lost]) -> Result<Option<Vec<u8>>> {
        if overwrote.is_empty() {
            return Ok(None);
        }
        let plain = serde_json::to_vec(overwrote).map_err(Error::internal)?;
        let place = context("receipt", self.account, mid, "answer");
        self.key.seal(&place, &plain, &self.app.random).map(Some)
    }

    fn open(&self, mid: Uuid, sealed: &[u8]) -> Result<Vec<Lost>> {
        let plain = self.key.open(&context("receipt", self.account, mid, "answer"), sealed)?;
        serde_json::from_slice(&plain).map_err(Error::internal)
    }
}

/// How a receipt writes down what became of a mutation.
const APPLIED: i64 = 1;
const NOOP: i64 = 2;
const REFUSED: [(i64, Refusal); 4] =
    [(3, Refusal::Exists), (4, Refusal::Gone), (5, Refusal::Stale), (6, Refusal::Quota)];

/// Status and revision of the receipt; `None` for what leaves none: a mutation that never fits, or whose mid says
/// nothing about it.
fn noted(status: Status) -> Option<(i64, i64)> {
    match status {
        Status::Applied(rev) => Some((APPLIED, rev)),
        Status::Noop => Some((NOOP, 0)),
        Status::Refused(refusal) => {
            REFUSED.iter().find(|(_, known)| *known == refusal).map(|(status, _)| (*status, 0))
        }
        Status::Duplicate(_) => None,
    }
}

/// What a repeat is answered. A refusal stays one, so that a late copy of a refused mutation changes nothing that its
/// device has dealt with since.
fn repeated(status: i64, rev: i64) -> Option<Status> {
    match status {
        APPLIED => Some(Status::Duplicate(Some(rev))),
        NOOP => Some(Status::Duplicate(None)),
        refused => {
            let known = REFUSED.iter().find(|(status, _)| *status == refused);
            known.map(|(_, refusal)| Status::Refused(*refusal))
        }
    }
}
