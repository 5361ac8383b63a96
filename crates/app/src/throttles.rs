//! Security counters: exact, in the database, over restarts and nodes. The rules are `domain::throttle`'s.

use std::time::Duration;

use domain::email::Email;
use domain::throttle::{AccountThrottle, MOST_FAILURES, NETWORK_WINDOW, NetworkThrottle, Verdict};
use domain::{Error, Result, Timestamp};
use serde::{Deserialize, Serialize};
use store::{Db, Tx, throttles};
use vault::index::Tag;

use crate::App;
use crate::caller::Client;

/// How long failures of an account are remembered: until a success, or for good practical purposes.
const KEPT: Duration = Duration::from_secs(365 * 24 * 60 * 60);
/// Calls that send mail are counted in this window.
const MAIL_WINDOW: Duration = Duration::from_secs(60 * 60);

#[derive(Serialize, Deserialize, Default, Clone, Copy)]
struct Count {
    n: u32,
    at: Timestamp,
}

fn decode(state: Option<Vec<u8>>) -> Count {
    state.and_then(|bytes| serde_json::from_slice(&bytes).ok()).unwrap_or_default()
}

fn encode(count: Count) -> store::Result<Vec<u8>> {
    serde_json::to_vec(&count).map_err(|error| Error::internal(error).into())
}

/// The two tags that a failed password counts against.
#[derive(Clone)]
pub(crate) struct PasswordTags {
    account: Tag,
    /// `None` where network limits do not apply.
    network: Option<Tag>,
}

impl App {
    pub(crate) fn password_tags(&self, email: &Email, client: &Client) -> PasswordTags {
        let limited = self.is_limited(client);
        let network = limited.then(|| self.index.throttle_tag("password-network", &client.network.bytes()));
        PasswordTags {
            account: self.index.throttle_tag("password-account", email.normal_form().as_bytes()),
            network,
        }
    }

    /// Whether another try is allowed; the same for addresses that exist and those that do not.
    pub(crate) async fn password_verdict(&self, tags: &PasswordTags, now: Timestamp) -> Result<Verdict> {
        let tags = tags.clone();
        let verdict = self
            .store
            .read(async move |db: &mut Db| {
                let Count { n, at } = decode(throttles::get(db, &tags.account, now).await?);
                // Only a mailed reset lifts a refusal. While there is none, the longest wait has to do, or a
                // stranger could lock somebody out for ever.
                let failures = n.min(MOST_FAILURES - 1);
                let verdict = AccountThrottle { failures, last_failure: at }.verdict(now);
                let Some(network) = &tags.network else { return Ok(verdict) };
                let Count { n, at } = decode(throttles::get(db, network, now).await?);
                Ok(verdict.and(NetworkThrottle { failures: n, since: at }.verdict(now)))
            })
            .await?;
        Ok(verdict)
    }

    pub(crate) async fn note_password_failure(&self, tags: PasswordTags, now: Timestamp) -> Result<()> {
        self.store
            .write(async move |tx| {
                let Count { n, at } = decode(throttles::lock(tx, &tags.account, now).await?);
                let next = AccountThrottle { failures: n, last_failure: at }.failed(now);
                let state = encode(Count { n: next.failures, at: next.last_failure })?;
                throttles::put(tx, &tags.account, &state, now.plus(KEPT)).await?;
                let Some(network) = &tags.network else { return Ok(()) };
                let Count { n, at } = decode(throttles::lock(tx, network, now).await?);
                let next = NetworkThrottle { failures: n, since: at }.failed(now);
                let state = encode(Count { n: next.failures, at: next.since })?;
                throttles::put(tx, network, &state, now.plus(NETWORK_WINDOW)).await
            })
            .await?;
        Ok(())
    }

    pub(crate) async fn clear_password_failures(tx: &mut Tx, tags: &PasswordTags) -> store::Result<()> {
        throttles::delete(tx, &tags.account).await
    }

    /// Counts a call that sends mail against its address and its network, or refuses it.
    pub(crate) async fn count_mail(&self, email: &Email, client: &Client, now: Timestamp) -> Result<()> {
        let limits = &self.settings.limits;
        let mut counted = vec![(
            self.index.throttle_tag("mail-address", email.normal_form().as_bytes()),
            limits.mail_per_address,
        )];
        if self.is_limited(client) {
            let tag = self.index.throttle_tag("mail-network", &client.network.bytes());
            counted.push((tag, limits.mail_per_network));
        }
        self.store
            .write(async move |tx| {
                for (tag, most) in &counted {
                    let count = decode(throttles::lock(tx, tag, now).await?);
                    let fresh = count.n == 0 || now.since(count.at) >= MAIL_WINDOW;
                    let count = if fresh { Count { n: 0, at: now } } else { count };
                    if count.n >= *most {
                        let wait = MAIL_WINDOW.saturating_sub(now.since(count.at));
                        return Err(Error::limited(
                            "too_many_mails",
                            "too many mails were asked for; wait",
                            wait,
                        )
                        .into());
                    }
                    let state = encode(Count { n: count.n + 1, ..count })?;
                    throttles::put(tx, tag, &state, count.at.plus(MAIL_WINDOW)).await?;
                }
                Ok(())
            })
            .await?;
        Ok(())
    }
}
