//! The connection to the other nodes: made, used until it breaks, made again.

use std::mem::discriminant;
use std::pin::pin;
use std::sync::atomic::Ordering;
use std::time::Duration;

use domain::{Error, Result, Timestamp};
use tokio::time::{Instant, MissedTickBehavior, interval, sleep, sleep_until, timeout};

use crate::carrier::{Address, Ear, Speaker, Trouble};
use crate::codec::{self, Message, NodeId, Refused};
use crate::echo::Echo;
use crate::news::News;
use crate::{Bus, Inner};

/// Between two messages. What comes meanwhile goes together.
const EVERY: Duration = Duration::from_millis(10);
/// A node that has nothing to say still says so this often, and hears itself.
const SIGN_OF_LIFE: Duration = Duration::from_secs(10);
/// How long a carrier may take to connect, and to take a message.
const PATIENCE: Duration = Duration::from_secs(10);
/// Between two attempts to connect: doubled each time, up to the longest.
const SHORTEST_PAUSE: Duration = Duration::from_millis(100);
const LONGEST_PAUSE: Duration = Duration::from_secs(5);

impl Bus {
    /// Connects, sends what waits and passes on what others say, for ever. Returns only where there is no carrier.
    ///
    /// `told` is called for each message of another node and must not wait.
    pub async fn run(&self, told: impl Fn(NodeId, News) + Sync) {
        let Some(inner) = self.0.as_deref() else { return };
        let mut pause = SHORTEST_PAUSE;
        // Each trouble is said once when it comes, and its end once.
        let mut reported = None;
        inner.note(false);
        loop {
            let trouble = match timeout(PATIENCE, inner.address.connect()).await {
                Ok(Ok((speaker, ear))) => {
                    pause = SHORTEST_PAUSE;
                    if reported.take().is_some() {
                        tracing::info!(carrier = inner.address.name(), "connected to the other nodes again");
                    }
                    inner.note(true);
                    let trouble = inner.follow(speaker, ear, &told).await;
                    inner.note(false);
                    Trouble::Away(trouble)
                }
                Ok(Err(trouble)) => trouble,
                Err(_) => Trouble::Away(Error::internal("it does not answer")),
            };
            let kind = discriminant(&trouble);
            if reported.replace(kind) != Some(kind) {
                inner.report(&trouble);
            }
            inner.show(false);
            sleep(inner.jittered(pause)).await;
            pause = (pause * 2).min(LONGEST_PAUSE);
        }
    }
}

impl Inner {
    fn report(&self, trouble: &Trouble) {
        let carrier = self.address.name();
        match trouble {
            Trouble::Away(error) => tracing::warn!(
                carrier,
                %error,
                "not connected to the other nodes: their news come late until it is"
            ),
            Trouble::Elsewhere => tracing::error!(
                carrier,
                "database_direct leads to another database than database does: not connected to the other nodes, \
                 whose news come late until both lead to one"
            ),
        }
    }

    /// For the metrics. Said again and again: what is said before they are there is lost.
    fn show(&self, is_connected: bool) {
        let gauge = metrics::gauge!("fairweather_bus_connected", "carrier" => self.address.name());
        gauge.set(f64::from(u8::from(is_connected)));
    }

    fn note(&self, is_connected: bool) {
        self.show(is_connected);
        self.joined.send_modify(|joined| {
            joined.is_connected = is_connected;
            joined.connections += u64::from(is_connected);
        });
        if is_connected {
            // Whatever was said while nobody listened is read from the database.
            self.missed.notify_one();
        } else if let Address::Redis(redis) = &self.address {
            redis.disconnected();
        }
    }

    /// Between half of it and all of it, so that nodes that were cut off together do not come back together.
    fn jittered(&self, pause: Duration) -> Duration {
        let half = pause / 2;
        half + Duration::from_millis(self.random.below(u64::try_from(half.as_millis()).unwrap_or(u64::MAX)))
    }

    /// Speaks and hears until either fails.
    async fn follow(&self, mut speaker: Speaker, mut ear: Ear, told: &impl Fn(NodeId, News)) -> Error {
        let echo = Echo::default();
        let outcome = tokio::select! {
            ended = self.speak(&mut speaker, &echo) => ended,
            ended = self.hear(&mut ear, &echo, told) => ended,
        };
        match outcome {
            Err(error) => error,
            Ok(never) => match never {},
        }
    }

    async fn speak(&self, speaker: &mut Speaker, echo: &Echo) -> Result<std::convert::Infallible> {
        let mut last: Option<Instant> = None;
        loop {
            if let Some(last) = last {
                let quiet = pin!(sleep_until(last + SIGN_OF_LIFE));
                tokio::select! {
                    () = self.outbox.filled() => sleep_until(last + EVERY).await,
                    () = quiet => {}
                }
            }
            let sending = self.outbox.take();
            let (sent_at, messages) = self.written(&sending.news);
            echo.said(sent_at, messages.len());
            match timeout(PATIENCE, speaker.say(&messages)).await {
                Ok(said) => said?,
                Err(_) => return Err(Error::internal("it takes no message")),
            }
            for (kind, count) in sending.news.counts() {
                metrics::counter!("fairweather_bus_sent_total", "kind" => kind).increment(count);
            }
            let count = u64::try_from(messages.len()).unwrap_or(u64::MAX);
            self.joined.send_modify(|joined| joined.sent += count);
            sending.done();
            self.show(true);
            last = Some(Instant::now());
        }
    }

    /// The messages that say this, and the time of the first. Each is later than the one before, whatever the clock
    /// does: by that the others know what they have heard.
    fn written(&self, news: &News) -> (Timestamp, Vec<Vec<u8>>) {
        let last = self.said_until.load(Ordering::Relaxed);
        let sent_at = self.clock.now().max(Timestamp::from_millis(last.saturating_add(1)));
        let key = &self.installation.messages;
        let messages = codec::encode(key, self.node, sent_at, news, self.address.largest());
        let further = i64::try_from(messages.len()).unwrap_or(i64::MAX) - 1;
        self.said_until.store(sent_at.millis().saturating_add(further), Ordering::Relaxed);
        (sent_at, messages)
    }

    async fn hear(
        &self,
        ear: &mut Ear,
        echo: &Echo,
        told: &impl Fn(NodeId, News),
    ) -> Result<std::convert::Infallible> {
        let mut ticks = interval(Duration::from_secs(1));
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                said = ear.hear() => self.heard(&said?, echo, told),
                _ = ticks.tick() => {
                    if echo.is_overdue() {
                        return Err(Error::internal("messages do not come back"));
                    }
                }
            }
        }
    }

    fn heard(&self, bytes: &[u8], echo: &Echo, told: &impl Fn(NodeId, News)) {
        let Message { node, sent_at, news } = match codec::decode(&self.installation.messages, bytes) {
            Ok(message) => message,
            Err(why) => return pass_over(bytes, why),
        };
        if node == self.node {
            echo.heard(sent_at);
            // On the way there and back by one clock, so it says the same whatever the clocks of others do.
            metrics::histogram!("fairweather_bus_lag_seconds").record(self.clock.now().since(sent_at));
            return;
        }
        if !self.heard.is_next(node, sent_at, self.clock.now()) {
            return pass_over(bytes, Refused::Again);
        }
        for (kind, count) in news.counts() {
            metrics::counter!("fairweather_bus_received_total", "kind" => kind).increment(count);
        }
        if news.has_gap {
            self.missed.notify_one();
        }
        told(node, news);
        // After it was told: whoever waits for it finds its effect.
        self.joined.send_modify(|joined| joined.received += 1);
    }
}

/// What a message says that is not believed costs time alone, since the database says it too.
fn pass_over(message: &[u8], why: Refused) {
    metrics::counter!("fairweather_bus_refused_total", "why" => why.name()).increment(1);
    tracing::debug!(bytes = message.len(), why = why.name(), "a message was passed over");
}
