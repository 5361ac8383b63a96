//! Handing what waits to the SMTP server. Every node does, one message after the other, and of two that want the same
//! one gets it.
//!
//! A message is removed once the server has taken it. A node that dies in between leaves its claim to lapse, and the
//! message goes out a second time, with the same id: twice is better than never.

use std::time::Duration;

use domain::{Error, Result, Timestamp};
use store::mail::{self, Claimed};
use upstream::smtp::{Outgoing, Refusal};

use super::Message;
use crate::App;

/// How often [`App::send_mail`] is to run.
pub const EVERY: Duration = Duration::from_secs(2);
/// Longer than any conversation may take.
const CLAIMED_FOR: Duration = Duration::from_secs(5 * 60);
const FIRST_PAUSE: Duration = Duration::from_secs(60);
const LONGEST_PAUSE: Duration = Duration::from_secs(6 * 60 * 60);
/// What was not taken by then is given up: nobody waits for it any more.
const GIVEN_UP_AFTER: Duration = Duration::from_secs(24 * 60 * 60);
/// Messages that may wait at once. More come from nobody who should be served: what limits them is the number of
/// networks that ask.
const MOST_WAITING: i64 = 10_000;

/// What became of one attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Outcome {
    Sent,
    /// It will be tried again.
    PutOff,
    /// It will not.
    Dropped,
    /// It will be, and the others can wait as long.
    ServerIsAway,
}

impl App {
    /// Sends everything that is due, until nothing is left or the server is not there.
    pub async fn send_mail(&self) -> Result<()> {
        if self.smtp.is_none() {
            return Ok(());
        }
        loop {
            let now = self.now();
            let Some(id) = self.store.read(async move |db| mail::due(db, now).await).await? else {
                return Ok(());
            };
            let (claim, until) = (self.random.uuid(now), now.plus(CLAIMED_FOR));
            let claimed =
                self.store.write(async move |tx| mail::claim(tx, id, claim, until, now).await).await?;
            // Somebody else was faster; there may be others.
            let Some(claimed) = claimed else { continue };
            if self.send(claimed).await? == Outcome::ServerIsAway {
                return Ok(());
            }
        }
    }

    async fn send(&self, claimed: Claimed) -> Result<Outcome> {
        let (id, created_at, attempt) = (claimed.mail.id, claimed.mail.created_at, claimed.attempt);
        let refusal = match Message::open(&self.data_keys, &claimed.mail) {
            Ok(message) => self.hand_to_server(id, created_at, &message).await.err(),
            // The key that sealed it is gone, so nobody can ever read it.
            Err(_) => Some(Refusal::Permanent(String::from("it cannot be opened"))),
        };
        let now = self.now();
        let next = next_attempt(created_at, attempt, now);
        let outcome = match (&refusal, next) {
            (None, _) => Outcome::Sent,
            (Some(Refusal::Permanent(_)), _) => Outcome::Dropped,
            (Some(Refusal::Unreachable(_)), Some(_)) => Outcome::ServerIsAway,
            (Some(Refusal::Temporary(_)), Some(_)) => Outcome::PutOff,
            (Some(_), None) => Outcome::Dropped,
        };
        tell(id, attempt, refusal.as_ref(), outcome);
        self.store
            .write(async move |tx| match (outcome, next) {
                (Outcome::PutOff | Outcome::ServerIsAway, Some(next)) => {
                    mail::put_off(tx, &claimed, next).await
                }
                _ => mail::remove(tx, &claimed).await,
            })
            .await?;
        Ok(outcome)
    }

    async fn hand_to_server(&self, id: uuid::Uuid, at: Timestamp, message: &Message) -> Result<(), Refusal> {
        let Some(smtp) = &self.smtp else {
            return Err(Refusal::Unreachable(String::from("there is no server")));
        };
        let Message { to, subject, text, html } = message;
        smtp.send(&Outgoing { id, at, to, subject, text, html }).await
    }

    /// Whether mail can be sent at all, for what makes no sense without.
    pub(crate) async fn require_mail(&self) -> Result<()> {
        if !self.settings.has_mail {
            return Err(Error::unavailable(
                "mail_unavailable",
                "this server sends no mail, so this cannot be done; its operator must configure it",
                Duration::from_secs(3600),
            ));
        }
        if self.store.read(async |db| mail::holds(db, MOST_WAITING).await).await? {
            return Err(Error::unavailable(
                "mail_unavailable",
                "too much mail waits to be sent; try again later",
                Duration::from_secs(60),
            ));
        }
        Ok(())
    }
}

/// When to try again after this attempt failed: after a minute, then twice as long each time, up to six hours; once
/// more when a day is over, and then no more.
fn next_attempt(created_at: Timestamp, attempt: i64, now: Timestamp) -> Option<Timestamp> {
    let end = created_at.plus(GIVEN_UP_AFTER);
    let doublings = u32::try_from((attempt - 1).clamp(0, 16)).unwrap_or_default();
    let pause = FIRST_PAUSE.saturating_mul(1 << doublings).min(LONGEST_PAUSE);
    (now < end).then(|| now.plus(pause).min(end))
}

/// Never to whom it was to go, nor what the server said of that.
fn tell(id: uuid::Uuid, attempt: i64, refusal: Option<&Refusal>, outcome: Outcome) {
    let name = match outcome {
        Outcome::Sent => "sent",
        Outcome::PutOff => "put_off",
        Outcome::ServerIsAway => "server_away",
        Outcome::Dropped => "dropped",
    };
    metrics::counter!("fairweather_mail_total", "outcome" => name).increment(1);
    match refusal {
        None => tracing::debug!(mail = %id, attempt, "mail was sent"),
        Some(Refusal::Unreachable(why)) => {
            tracing::warn!(mail = %id, attempt, %why, "the SMTP server takes no mail; it is tried again")
        }
        Some(Refusal::Temporary(code)) => {
            tracing::info!(mail = %id, attempt, code, outcome = name, "the SMTP server did not take a mail")
        }
        Some(Refusal::Permanent(why)) => tracing::warn!(mail = %id, attempt, %why, "a mail was dropped"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_double_to_six_hours_and_end_after_a_day() {
        let created_at = Timestamp::from_seconds(1_795_255_200);
        let (mut now, mut attempt, mut pauses) = (created_at, 1, Vec::new());
        while let Some(next) = next_attempt(created_at, attempt, now) {
            pauses.push(next.since(now).as_secs() / 60);
            (now, attempt) = (next, attempt + 1);
        }
        assert_eq!(pauses, [1, 2, 4, 8, 16, 32, 64, 128, 256, 360, 360, 209]);
        assert_eq!(now, created_at.plus(GIVEN_UP_AFTER));
        assert_eq!(next_attempt(created_at, i64::MAX, created_at).unwrap().since(created_at), LONGEST_PAUSE);
    }
}
