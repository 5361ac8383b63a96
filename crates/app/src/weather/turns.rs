//! Whose turn it is to ask a provider for a cell: single flight and one breaker over all nodes of a database.
//!
//! A node that is alone knows from memory what it fetches and how the provider behaves. Where nodes share a
//! database, one transaction claims the cells, looks whether another node has fetched them by now, asks the breaker
//! and takes the budget for exactly those that are left. The claim is released when the answer lands; that of a node
//! that died lapses.

use std::sync::atomic::Ordering;
use std::time::Duration;

use domain::forecast::{Breaker, Cell, Freshness, Outcome, Pack, Series, Share, TtlPolicy};
use domain::{Clock, Random, Timestamp};
use store::{Store, Tx, cells, claims};
use uuid::Uuid;

use super::Unavailable;
use super::provider_state::State;
use super::providers::{Provider, denied};
use super::stored::key;

/// How long a claim stands: longer than a provider's call may take, so that only the dead lose theirs.
pub(super) const CLAIM_LIFETIME: Duration = Duration::from_secs(20);
/// How long to wait before looking again at a cell that another node is fetching, and as much more by chance.
const LOOK_AGAIN: Duration = Duration::from_millis(100);

/// What is to become of some cells.
#[derive(Clone, Debug, Default)]
pub(super) struct Turn {
    /// To be asked for by this node, and paid for.
    pub ours: Vec<Cell>,
    /// Answered to another node in the meantime.
    pub stored: Vec<(Cell, Series)>,
    /// Being fetched by another node.
    pub held: Vec<Cell>,
    /// Why cells that nobody fetches may not be asked for.
    pub refused: Option<Unavailable>,
    /// By which our claims are told from others'; `None` where there is nobody else.
    pub holder: Option<Uuid>,
    /// The breaker as it let the call pass.
    breaker: Breaker,
}

/// What a turn is about.
#[derive(Clone, Copy)]
pub(super) struct Asked<'a> {
    pub cells: &'a [Cell],
    pub pack: Pack,
    pub share: Share,
    pub now: Timestamp,
    pub ttl: TtlPolicy,
}

impl Provider {
    /// Finds out which of the cells to ask for, and pays for those.
    ///
    /// # Errors
    /// When nothing may be asked, or the database cannot tell.
    pub(super) async fn turn(
        &self,
        store: &Store,
        asked: Asked<'_>,
        random: &Random,
    ) -> Result<Turn, Unavailable> {
        if !self.is_shared(store) {
            return self.turn_alone(store, asked, random).await;
        }
        self.turn_among_others(store, asked, random).await.map_err(|error| {
            tracing::warn!(%error, "cells could not be claimed, so nothing is asked");
            Unavailable::Provider { retry_after: Duration::from_secs(5) }
        })
    }

    /// Whether other nodes may want the same of the same provider.
    fn is_shared(&self, store: &Store) -> bool {
        self.is_remote && !store.is_exclusive()
    }

    async fn turn_alone(
        &self,
        store: &Store,
        asked: Asked<'_>,
        random: &Random,
    ) -> Result<Turn, Unavailable> {
        let Asked { cells, pack, share, now, .. } = asked;
        denied(self.breaker().permit(now), now)?;
        let weight = self.provider.weight(cells.len(), pack);
        if let Err(error) = self.charge(store, weight, share, now).await {
            // Nothing was asked, so the breaker learns nothing; a probe is given back.
            self.breaker().record(Outcome::Neutral, now, random);
            return Err(error);
        }
        Ok(Turn { ours: cells.to_vec(), ..Turn::default() })
    }

    async fn turn_among_others(
        &self,
        store: &Store,
        asked: Asked<'_>,
        random: &Random,
    ) -> store::Result<Turn> {
        let Asked { cells, pack, share, now, ttl } = asked;
        let (provider, limits) = (self.provider.clone(), self.limits);
        let name = provider.source().name();
        let factor = self.factor();
        let holder = Uuid::from_bytes(random.bytes());
        // In one order on every node: two that claim the same cells must not wait for each other.
        let mut cells: Vec<(String, Cell)> =
            cells.iter().map(|cell| (key(name, pack, *cell), *cell)).collect();
        cells.sort();
        // An operator who starts a node anew has done something about a ban; one call finds out.
        let forgives = !self.has_shared.load(Ordering::Relaxed);
        let (turn, factor) = store
            .write(async move |tx| {
                let mut turn = Turn { holder: Some(holder), ..Turn::default() };
                let until = now.plus(CLAIM_LIFETIME);
                let keys: Vec<&str> = cells.iter().map(|(key, _)| key.as_str()).collect();
                let claimed = claims::claim(tx, &keys, holder, until, now).await?;
                let is_ours = |(cell, claimed): (&'_ (String, Cell), bool)| claimed.then(|| cell.clone());
                let ours: Vec<(String, Cell)> =
                    cells.iter().zip(claimed.iter().copied()).filter_map(is_ours).collect();
                turn.held =
                    cells.iter().zip(&claimed).filter(|(_, ours)| !**ours).map(|(it, _)| it.1).collect();
                // Looked at after the claims: whoever had a cell before has landed or given up by now.
                let keys: Vec<&str> = ours.iter().map(|(key, _)| key.as_str()).collect();
                let stored = cells::get_many(tx, &keys).await?;
                let mut done = Vec::new();
                for ((key, cell), stored) in ours.iter().zip(stored) {
                    match stored {
                        Some((bytes, fetched_at))
                            if ttl.freshness(*cell, fetched_at, now, factor) == Freshness::Fresh
                                && let Ok(series) = Series::decode(&bytes) =>
                        {
                            done.push(key.as_str());
                            turn.stored.push((*cell, series));
                        }
                        _ => turn.ours.push(*cell),
                    }
                }
                claims::release(tx, &done, holder).await?;
                if turn.ours.is_empty() {
                    return Ok((turn, None));
                }
                // Last, because all nodes wait for this row.
                let mut state = State::lock(tx, name, now).await?;
                if forgives && state.kept.breaker.is_off() {
                    state.kept.breaker.reset();
                }
                turn.breaker = state.kept.breaker.clone();
                let mut permit = denied(state.kept.breaker.permit(now), now);
                if permit.is_ok() {
                    let weight = provider.weight(turn.ours.len(), pack);
                    permit =
                        state.kept.budget.spend(&limits, share, weight, now).map_err(|exhausted| {
                            Unavailable::Budget { retry_after: exhausted.retry_after(now) }
                        });
                }
                match permit {
                    Ok(()) => {
                        turn.breaker = state.kept.breaker.clone();
                        state.write(tx, name, now).await?;
                    }
                    // Nothing is written, so a probe is given back.
                    Err(why) => {
                        claims::release(tx, &keys, holder).await?;
                        turn.ours.clear();
                        turn.refused = Some(why);
                    }
                }
                Ok((turn, Some(state.kept.budget.ttl_factor(&limits, now))))
            })
            .await?;
        if let Some(factor) = factor {
            self.note_ttl_factor(factor);
            *self.breaker() = turn.breaker.clone();
            self.has_shared.store(true, Ordering::Relaxed);
        }
        Ok(turn)
    }

    /// Lets the breaker know how a call went. Where it is shared, an ordinary success is not worth a transaction.
    pub(super) async fn record(
        &self,
        store: &Store,
        turn: &Turn,
        outcome: Outcome,
        now: Timestamp,
        random: &Random,
    ) {
        let is_ordinary =
            turn.breaker == Breaker::default() && matches!(outcome, Outcome::Success | Outcome::Neutral);
        self.breaker().record(outcome, now, random);
        if turn.holder.is_none() || is_ordinary {
            return;
        }
        let (name, random) = (self.provider.source().name(), random.clone());
        let recorded = store
            .write(async move |tx| {
                let mut state = State::lock(tx, name, now).await?;
                state.kept.breaker.record(outcome, now, &random);
                state.write(tx, name, now).await?;
                Ok(state.kept.breaker)
            })
            .await;
        match recorded {
            Ok(breaker) => *self.breaker() = breaker,
            // This node knows; the others find out by themselves.
            Err(error) => tracing::warn!(%error, "the state of a provider could not be kept"),
        }
    }
}

/// Returns when one of the keys is not claimed any more, or after a while.
pub(super) async fn wait_for_others(store: &Store, keys: &[String], look: Look<'_>) {
    loop {
        let pause = LOOK_AGAIN + Duration::from_millis(look.random.below(100));
        tokio::time::sleep(pause).await;
        if tokio::time::Instant::now() >= look.deadline {
            return;
        }
        let (now, keys) = (look.clock.now(), keys.to_vec());
        let all_held = store
            .read(async move |db| {
                let runs: Vec<&str> = keys.iter().map(String::as_str).collect();
                Ok(claims::held(db, &runs, now).await? == runs.len())
            })
            .await;
        // Trouble with the database is met again, and told, by the next turn.
        if !matches!(all_held, Ok(true)) {
            return;
        }
    }
}

/// How to wait for others.
#[derive(Clone, Copy)]
pub(super) struct Look<'a> {
    pub clock: &'a Clock,
    pub random: &'a Random,
    pub deadline: tokio::time::Instant,
}

/// Gives claims back, in the transaction that keeps what they were for.
pub(super) async fn release(tx: &mut Tx, holder: Option<Uuid>, keys: &[String]) -> store::Result<()> {
    let Some(holder) = holder else { return Ok(()) };
    let keys: Vec<&str> = keys.iter().map(String::as_str).collect();
    claims::release(tx, &keys, holder).await
}
