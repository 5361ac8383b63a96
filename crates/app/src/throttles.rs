//! Security counters: exact, in the database, over restarts and nodes. The rules are `domain::throttle`'s.

use std::time::Duration;

use domain::email::Email;
use domain::throttle::{AccountThrottle, MOST_FAILURES, NETWORK_WINDOW, NetworkThrottle};
use domain::{Error, Result, Timestamp};
use serde::{Deserialize, Serialize};
use store::{Tx, throttles};
use vault::index::Tag;

use crate::App;
use crate::caller::Client;

/// How long failures of an account are remembered: until a success, or for good practical purposes.
pub(crate) const KEPT: Duration = Duration::from_secs(365 * 24 * 60 * 60);
/// Calls that send mail are counted in this window.
const MAIL_WINDOW: Duration = Duration::from_secs(60 * 60);

#[derive(Serialize, Deserialize, Default, Clone, Copy)]
pub(crate) struct Count {
    pub n: u32,
    pub at: Timestamp,
}

pub(crate) fn decode(state: Option<Vec<u8>>) -> Count {
    state.and_then(|bytes| serde_json::from_slice(&bytes).ok()).unwrap_or_default()
}

pub(crate) fn encode(count: Count) -> store::Result<Vec<u8>> {
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

    /// Counts a try as failed before the password is looked at, or refuses it; the same for addresses that
    /// exist and those that do not. Counted only afterwards, any number of guesses sent side by side would all
    /// find the count of before. Tells how many the account has by now.
    pub(crate) async fn begin_password_try(&self, tags: PasswordTags, now: Timestamp) -> Result<u32> {
        let failures = self
            .store
            .write(async move |tx| {
                let Count { n, at } = decode(throttles::lock(tx, &tags.account, now).await?);
                let account = AccountThrottle { failures: n, last_failure: at };
                // Only a mailed reset lifts a refusal. While there is none, the longest wait has to do, or a
                // stranger could lock somebody out for ever.
                let failures = n.min(MOST_FAILURES - 1);
                let mut verdict = AccountThrottle { failures, ..account }.verdict(now);
                if let Some(tag) = &tags.network {
                    let Count { n, at } = decode(throttles::lock(tx, tag, now).await?);
                    let network = NetworkThrottle { failures: n, since: at };
                    verdict = verdict.and(network.verdict(now));
                    let next = network.failed(now);
                    let state = encode(Count { n: next.failures, at: next.since })?;
                    throttles::put(tx, tag, &state, next.since.plus(NETWORK_WINDOW)).await?;
                }
                verdict.require_allowed()?;
                let next = account.failed(now);
                let state = encode(Count { n: next.failures, at: next.last_failure })?;
                throttles::put(tx, &tags.account, &state, now.plus(KEPT)).await?;
                Ok(next.failures)
            })
            .await?;
        Ok(failures)
    }

    /// Takes a try back whose password could not be looked at.
    pub(crate) async fn forgive_password_try(&self, tags: PasswordTags, now: Timestamp) -> Result<()> {
        self.store
            .write(async move |tx| {
                Self::uncount(tx, &tags.account, now.plus(KEPT), now).await?;
                Self::uncount_network(tx, &tags, now).await
            })
            .await?;
        Ok(())
    }

    async fn uncount_network(tx: &mut Tx, tags: &PasswordTags, now: Timestamp) -> store::Result<()> {
        match &tags.network {
            Some(tag) => Self::uncount(tx, tag, now.plus(NETWORK_WINDOW), now).await,
            None => Ok(()),
        }
    }

    async fn uncount(tx: &mut Tx, tag: &Tag, until: Timestamp, now: Timestamp) -> store::Result<()> {
        let count = decode(throttles::lock(tx, tag, now).await?);
        let state = encode(Count { n: count.n.saturating_sub(1), ..count })?;
        throttles::put(tx, tag, &state, until).await
    }

    /// The password was right: the account's failures are forgotten, the network has one less.
    pub(crate) async fn clear_password_failures(
        tx: &mut Tx,
        tags: &PasswordTags,
        now: Timestamp,
    ) -> store::Result<()> {
        throttles::delete(tx, &tags.account).await?;
        Self::uncount_network(tx, tags, now).await
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
