//! Security counters: exact, in the database, over restarts and nodes. The rules are `domain::throttle`'s.

use std::time::Duration;

use domain::email::Email;
use domain::throttle::{AccountThrottle, MOST_FAILURES, NETWORK_WINDOW, NetworkThrottle};
use domain::{Error, Result, SessionId, Timestamp};
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

/// What a failed password counts against.
#[derive(Clone)]
pub(crate) struct PasswordTags {
    account: Tag,
    /// Of a device that signed in before, which has failures of its own.
    device: Option<Tag>,
    /// `None` where network limits do not apply.
    network: Option<Tag>,
}

/// Why mail is sent. Each is counted by itself, so that asking for one never keeps anybody from another.
#[derive(Clone, Copy, Debug)]
pub(crate) enum MailFor {
    SignUp,
    Reset,
    Change,
}

impl MailFor {
    const fn name(self) -> &'static str {
        match self {
            Self::SignUp => "sign-up",
            Self::Reset => "reset",
            Self::Change => "change",
        }
    }
}

impl App {
    pub(crate) fn password_tags(&self, email: &Email, client: &Client) -> PasswordTags {
        let limited = self.is_limited(client);
        let network = limited.then(|| self.index.throttle_tag("password-network", &client.network.bytes()));
        let device = self.known_device(email, client, self.now());
        let device = device.map(|device| self.index.throttle_tag("password-device", device.bytes()));
        PasswordTags { account: self.password_account_tag(email), device, network }
    }

    /// The same for a password that is shown in a session. Its device has signed in before, whatever it has kept of
    /// that, so strangers' failures do not concern it.
    pub(crate) fn password_tags_in(
        &self,
        session: SessionId,
        email: &Email,
        client: &Client,
    ) -> PasswordTags {
        let tags = self.password_tags(email, client);
        let own = || self.index.throttle_tag("password-session", session.uuid().as_bytes());
        PasswordTags { device: Some(tags.device.unwrap_or_else(own)), ..tags }
    }

    /// Where failures for an address are counted, whether it has an account or not.
    pub(crate) fn password_account_tag(&self, email: &Email) -> Tag {
        self.index.throttle_tag("password-account", email.normal_form().as_bytes())
    }

    /// Whose failures count for a try: those of the known device, until it has failed too often itself; from then on it
    /// is like any other, so that a mailed reset helps its owner too.
    async fn counter(
        tx: &mut Tx,
        tags: &PasswordTags,
        now: Timestamp,
    ) -> store::Result<(Tag, AccountThrottle)> {
        if let Some(device) = tags.device {
            let Count { n, at } = decode(throttles::lock(tx, &device, now).await?);
            if n <= MOST_FAILURES {
                return Ok((device, AccountThrottle { failures: n, last_failure: at }));
            }
        }
        let Count { n, at } = decode(throttles::lock(tx, &tags.account, now).await?);
        Ok((tags.account, AccountThrottle { failures: n, last_failure: at }))
    }

    /// Counts a try as failed before the password is looked at, or refuses it; the same for addresses that
    /// exist and those that do not. Counted only afterwards, any number of guesses sent side by side would all
    /// find the count of before. Tells how many the account has by now.
    pub(crate) async fn begin_password_try(&self, tags: PasswordTags, now: Timestamp) -> Result<u32> {
        let failures = self
            .store
            .write(async move |tx| {
                let (mut tag, mut counter) = Self::counter(tx, &tags, now).await?;
                if tag != tags.account && counter.failures == MOST_FAILURES {
                    let retired = encode(Count { n: MOST_FAILURES + 1, at: now })?;
                    throttles::put(tx, &tag, &retired, now.plus(KEPT)).await?;
                    (tag, counter) = Self::counter(tx, &tags, now).await?;
                }
                let mut verdict = counter.verdict(now);
                if let Some(network_tag) = &tags.network {
                    let Count { n, at } = decode(throttles::lock(tx, network_tag, now).await?);
                    let network = NetworkThrottle { failures: n, since: at };
                    verdict = verdict.and(network.verdict(now));
                    let next = network.failed(now);
                    let state = encode(Count { n: next.failures, at: next.since })?;
                    throttles::put(tx, network_tag, &state, next.since.plus(NETWORK_WINDOW)).await?;
                }
                verdict.require_allowed()?;
                let next = counter.failed(now);
                let state = encode(Count { n: next.failures, at: next.last_failure })?;
                throttles::put(tx, &tag, &state, now.plus(KEPT)).await?;
                Ok(next.failures)
            })
            .await?;
        Ok(failures)
    }

    /// Takes a try back whose password could not be looked at.
    pub(crate) async fn forgive_password_try(&self, tags: PasswordTags, now: Timestamp) -> Result<()> {
        self.store
            .write(async move |tx| {
                let (tag, _) = Self::counter(tx, &tags, now).await?;
                Self::uncount(tx, &tag, now.plus(KEPT), now).await?;
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

    /// The password was right: the failures before it are forgotten, those of the device or those of everybody else,
    /// and the network has one less.
    pub(crate) async fn clear_password_failures(
        tx: &mut Tx,
        tags: &PasswordTags,
        now: Timestamp,
    ) -> store::Result<()> {
        let (tag, _) = Self::counter(tx, tags, now).await?;
        throttles::delete(tx, &tag).await?;
        Self::uncount_network(tx, tags, now).await
    }

    /// Counts a call that sends mail, or refuses it: against its address as this network asks for it, against the
    /// address for all networks together, which has room for several that ask too often, and against the network.
    pub(crate) async fn count_mail(
        &self,
        why: MailFor,
        email: &Email,
        client: &Client,
        now: Timestamp,
    ) -> Result<()> {
        let limits = &self.settings.limits;
        let address = email.normal_form();
        let tag = |kind: &str, who: &[u8]| {
            let parts: [&[u8]; 5] = [why.name().as_bytes(), b"\0", address.as_bytes(), b"\0", who];
            self.index.throttle_tag(kind, &parts.concat())
        };
        // Every call locks them in this order.
        let mut counted = vec![
            (tag("mail-address-network", &client.network.bytes()), limits.mail_per_address),
            (tag("mail-address", b""), limits.mail_per_address_in_all),
        ];
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
