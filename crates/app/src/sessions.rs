//! The list of an account's sessions, and ending them.

use domain::session::Ending;
use domain::{AccountId, Result, SessionId, Timestamp};
use store::{Tx, sessions};

use crate::App;
use crate::audit::{Actor, Entry};

impl App {
    /// Ends one session within a transaction; `false` when it was gone. Tell [`App::revoke`] after the commit.
    pub(crate) async fn end_session_in(
        &self,
        tx: &mut Tx,
        (account, session): (AccountId, SessionId),
        why: Ending,
        actor: Actor,
        now: Timestamp,
    ) -> store::Result<bool> {
        let ended = sessions::end(tx, account, session, now).await?;
        if ended {
            self.audit(tx, &Entry::session_ended(account, session, why, now).actor(actor)).await?;
        }
        Ok(ended)
    }

    /// The same for all sessions of an account but `keep`; tells which ended.
    pub(crate) async fn end_sessions_in(
        &self,
        tx: &mut Tx,
        account: AccountId,
        keep: Option<SessionId>,
        (why, actor): (Ending, Actor),
        now: Timestamp,
    ) -> store::Result<Vec<SessionId>> {
        let ended = sessions::end_all(tx, account, keep, now).await?;
        for session in &ended {
            self.audit(tx, &Entry::session_ended(account, *session, why, now).actor(actor)).await?;
        }
        Ok(ended)
    }

    /// Ends every session of an account and tells how many there were.
    pub(crate) async fn end_all_sessions(
        &self,
        account: AccountId,
        why: Ending,
        actor: Actor,
    ) -> Result<usize> {
        let (app, now) = (self.clone(), self.now());
        let ended = self
            .store
            .write(async move |tx| app.end_sessions_in(tx, account, None, (why, actor), now).await)
            .await?;
        let count = ended.len();
        self.revoke(ended, now);
        Ok(count)
    }
}
