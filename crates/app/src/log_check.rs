//! Whether each account's log and its rows agree: what every promise to devices rests on.

use domain::cursor::Eras;
use domain::{AccountId, Result};
use store::sync::{self, Listed};
use store::{Db, favourites};
use uuid::Uuid;

use crate::App;

/// Accounts, or rows of one, that are read at once.
const PAGE: i64 = 200;

/// What was found on a page of accounts.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CheckedLogs {
    pub accounts: usize,
    /// Accounts whose log is wrong, and how.
    pub wrong: Vec<(AccountId, String)>,
    /// Where the next page begins; `None` after the last.
    pub next: Option<AccountId>,
}

impl App {
    /// Compares a page of logs with their rows, each page as of one moment, so that it can be done beside servers
    /// that write.
    pub async fn check_logs(&self, after: Option<AccountId>) -> Result<CheckedLogs> {
        let after = after.unwrap_or(AccountId::from_uuid(Uuid::nil()));
        let read = self.store.snapshot(async move |db| {
            let mut checked = CheckedLogs::default();
            for log in sync::page(db, after, PAGE).await? {
                let tally = tally(db, log.account).await?;
                checked.wrong.extend(faults(&log, tally).map(|fault| (log.account, fault)));
                checked.accounts += 1;
                checked.next = Some(log.account);
            }
            Ok(checked)
        });
        Ok(read.await?)
    }
}

/// What the rows of an account add up to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Tally {
    /// Favourites and tombstones.
    rows: i64,
    live: i64,
    /// Different revisions among them.
    revs: i64,
    /// The newest of those; 0 when there is none.
    newest: i64,
}

/// Adds an account's rows up, a page at a time.
async fn tally(db: &mut Db, account: AccountId) -> store::Result<Tally> {
    let mut tally = Tally::default();
    loop {
        let page = favourites::changed(db, account, tally.newest, i64::MAX, PAGE).await?;
        for row in &page {
            tally.rows += 1;
            tally.live += i64::from(row.live.is_some());
            tally.revs += i64::from(row.rev != tally.newest);
            tally.newest = row.rev;
        }
        if page.is_empty() {
            return Ok(tally);
        }
    }
}

/// All that is wrong with a log, in words for an operator.
fn faults(log: &Listed, tally: Tally) -> impl Iterator<Item = String> {
    let Listed { eras, head, floor, favourites, .. } = log;
    let Tally { rows, live, revs, newest } = tally;
    // The newest change may be a removal whose tombstone was purged.
    let ends_at_head = newest == *head || floor == head;
    let checks = [
        (Eras::parse(eras).is_some(), format!("its eras do not parse: {eras}")),
        (rows == revs, format!("{rows} rows share {revs} revisions")),
        (newest <= *head, format!("a row has revision {newest}, beyond the head {head}")),
        (ends_at_head || newest > *head, format!("no row has the revision of the head {head}")),
        (*floor <= *head, format!("the floor {floor} is above the head {head}")),
        (live == *favourites, format!("{live} favourites are there, {favourites} are counted")),
    ];
    checks.into_iter().filter(|(holds, _)| !holds).map(|(_, fault)| fault)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_fault_is_told_in_words() {
        let account = AccountId::from_uuid(Uuid::nil());
        let log = |eras: &str, head, floor, favourites| Listed {
            account,
            eras: eras.into(),
            head,
            floor,
            favourites,
        };
        let tally = |rows, live, revs, newest| Tally { rows, live, revs, newest };
        let found = |log: &Listed, tally| faults(log, tally).collect::<Vec<_>>();
        for (sound, rows) in [
            (log("1:0", 0, 0, 0), tally(0, 0, 0, 0)),
            (log("1:0,2:3", 7, 3, 2), tally(3, 2, 3, 7)),
            (log("1:0", 7, 7, 1), tally(1, 1, 1, 4)),
        ] {
            assert!(found(&sound, rows).is_empty(), "{sound:?}");
        }
        for (wrong, rows, word) in [
            (log("", 0, 0, 0), tally(0, 0, 0, 0), "eras"),
            (log("1:0", 7, 0, 2), tally(2, 2, 1, 7), "share"),
            (log("1:0", 7, 0, 1), tally(1, 1, 1, 8), "beyond"),
            (log("1:0", 7, 3, 1), tally(1, 1, 1, 6), "no row"),
            (log("1:0", 7, 9, 1), tally(1, 1, 1, 7), "floor"),
            (log("1:0", 7, 0, 2), tally(2, 1, 2, 7), "counted"),
        ] {
            let found = found(&wrong, rows);
            assert!(found.len() == 1 && found[0].contains(word), "{wrong:?}: {found:?}");
        }
    }
}
