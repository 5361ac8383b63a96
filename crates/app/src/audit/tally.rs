//! What is counted in memory and written down every few minutes: so nobody fills the log, and no flood hides what else
//! was tried.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use domain::{AccountId, Result};
use store::{accounts, audit};

use super::{Actor, Entry, Event, NetworkTag, row};
use crate::App;
use crate::limits::{Buckets, Rate};

/// Lines of one account about each thing that people cause at will: so many at once, then so many an hour. The rest is
/// counted.
const FREQUENT: Rate = Rate { per_second: 4.0 / 3600.0, burst: 50 };
/// What is counted apart of each event until it is written down; the rest is told without account and network.
const COUNTED_APART: usize = 64;
/// Networks that are counted apart of one account; the rest is told without network.
const NETWORKS_APART: usize = 8;

/// What is counted instead of written down line by line.
pub(crate) struct Tally {
    lines: Buckets<(AccountId, Event)>,
    counts: Mutex<HashMap<Counted, i64>>,
}

type Counted = (Event, Option<AccountId>, Option<NetworkTag>);

impl Default for Tally {
    fn default() -> Self {
        Self { lines: Buckets::new(FREQUENT), counts: Mutex::default() }
    }
}

impl Tally {
    /// Counts what an account does too often to be written down each time; `false` for everything else.
    pub(super) fn takes(&self, entry: &Entry) -> bool {
        let is_too_often = entry.event.is_frequent()
            && entry.actor == Actor::Owner
            && entry.account.is_some_and(|id| self.lines.take(&(id, entry.event), 1, entry.at).is_err());
        if is_too_often {
            self.count(entry);
        }
        is_too_often
    }

    fn count(&self, entry: &Entry) {
        let mut counts = self.counts.lock().unwrap_or_else(PoisonError::into_inner);
        let like = |is_like: &dyn Fn(&Counted) -> bool| {
            counts.keys().filter(|counted| counted.0 == entry.event && is_like(counted)).count()
        };
        let whole = (entry.event, entry.account, entry.network);
        let of_account = (entry.event, entry.account, None);
        let has_room = like(&|_| true) < COUNTED_APART;
        let has_place = like(&|counted| counted.1 == entry.account) < NETWORKS_APART;
        let counted = if counts.contains_key(&whole) || has_room && has_place {
            whole
        } else if counts.contains_key(&of_account) || has_room {
            of_account
        } else {
            (entry.event, None, None)
        };
        *counts.entry(counted).or_default() += 1;
    }

    fn take(&self) -> HashMap<Counted, i64> {
        std::mem::take(&mut *self.counts.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn give_back(&self, counted: HashMap<Counted, i64>) {
        let mut counts = self.counts.lock().unwrap_or_else(PoisonError::into_inner);
        for (what, times) in counted {
            *counts.entry(what).or_default() += times;
        }
    }
}

impl App {
    /// Notes something that changes nothing in the database, to be written down with the next lines.
    pub(crate) fn count_in_audit(&self, entry: &Entry) {
        self.audit_tally.count(entry);
    }

    /// Writes down what was counted since the last time.
    pub async fn write_audit_tally(&self) -> Result<()> {
        let counted = self.audit_tally.take();
        if counted.is_empty() {
            return Ok(());
        }
        let now = self.now();
        let line = |(&(event, account, network), &times): (&Counted, &i64)| {
            let actor = if event.is_failure() { Actor::Unknown } else { Actor::Owner };
            let entry = Entry { account, ..Entry::by(actor, event, now) };
            row(&self.random, &entry.network(network), times)
        };
        let mut rows: Vec<_> = counted.iter().map(line).collect();
        // Accounts are locked in the order of their ids, so that two nodes cannot wait for each other.
        rows.sort_by_key(|row| row.subject);
        let app = self.clone();
        let written = self
            .store
            .write(async move |tx| {
                for row in &rows {
                    // It may have been removed since, and nothing of it is to come back.
                    let subject = match row.subject.map(AccountId::from_uuid) {
                        Some(account) if accounts::lock(tx, account).await?.is_none() => {
                            Some(app.pseudonym(account))
                        }
                        _ => row.subject,
                    };
                    audit::put(tx, &audit::Row { subject, ..row.clone() }).await?;
                }
                Ok(())
            })
            .await;
        if written.is_err() {
            self.audit_tally.give_back(counted);
        }
        Ok(written?)
    }
}

#[cfg(test)]
mod tests {
    use domain::Timestamp;
    use uuid::Uuid;

    use super::*;

    const NOW: Timestamp = Timestamp::from_seconds(1_795_000_000);

    #[test]
    fn what_is_done_often_leaves_room_for_the_rest() {
        let tally = Tally::default();
        let entry = |event| Entry::of(AccountId::from_uuid(Uuid::from_u128(1)), event, NOW);
        let written = (0..200).filter(|_| !tally.takes(&entry(Event::SteppedUp))).count();
        assert_eq!(written, 50);
        assert!(!tally.takes(&entry(Event::SignedIn)), "it is written down, with its session");
        assert!(!tally.takes(&entry(Event::PasswordChanged)), "nobody does that at will");
        assert_eq!(tally.take().values().sum::<i64>(), 150);
    }

    #[test]
    fn a_flood_hides_nothing_but_where_it_came_from() {
        let tally = Tally::default();
        let account = |n: u128| AccountId::from_uuid(Uuid::from_u128(n));
        let failed = |event, n| Entry::of(account(n), event, NOW);
        for place in 0..20 {
            let network = Some(NetworkTag([place; 8]));
            tally.count(&failed(Event::StepUpFailed, 1).network(network));
        }
        // As many accounts as there is room for, and more.
        for n in 2..200 {
            tally.count(&failed(Event::StepUpFailed, n));
        }
        tally.count(&failed(Event::SignInFailed, 300));
        let counted = tally.take();
        let of = |event, account, network| counted.get(&(event, account, network)).copied();
        let networks = counted.keys().filter(|it| it.1 == Some(account(1)) && it.2.is_some()).count();
        assert_eq!(networks, NETWORKS_APART);
        assert_eq!(of(Event::StepUpFailed, Some(account(1)), None), Some(12));
        assert_eq!(of(Event::SignInFailed, Some(account(300)), None), Some(1), "of another kind");
        assert!(counted.len() <= COUNTED_APART + 2, "{}", counted.len());
        assert_eq!(counted.values().sum::<i64>(), 20 + 198 + 1);
    }

    #[test]
    fn what_is_counted_takes_bounded_room_and_loses_no_number() {
        let tally = Tally::default();
        for n in 0..10_000_u128 {
            let account = AccountId::from_uuid(Uuid::from_u128(n));
            tally.count(&Entry::of(account, Event::SignInFailed, NOW));
        }
        let counted = tally.take();
        assert_eq!(counted.len(), COUNTED_APART + 1);
        assert_eq!(counted.values().sum::<i64>(), 10_000);
        assert_eq!(counted[&(Event::SignInFailed, None, None)], 10_000 - COUNTED_APART as i64);
        tally.give_back(counted);
        assert_eq!(tally.take().len(), COUNTED_APART + 1);
    }
}
