//! The providers in their order, each with its breaker, its budget and what it answered last.

use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use domain::forecast::{Breaker, BudgetLimits, Pack, Permit, Series, Share, Source, Weight};
use domain::{Coordinates, Random, Timestamp};
use store::Store;
use tokio::sync::SetOnce;
use upstream::weather::{WeatherProvider, outcome};

use super::Unavailable;
use super::provider_state::State;
use super::turns::Turn;

/// A provider as it was configured.
pub struct Configured {
    pub provider: Arc<dyn WeatherProvider>,
    pub limits: BudgetLimits,
}

/// All providers of this process.
pub struct Providers {
    real: Vec<Arc<Provider>>,
    sandbox: Option<Arc<Provider>>,
    /// Whether the sandbox answers, for all cells: real and made-up weather never stand in one list.
    in_sandbox: AtomicBool,
    /// Set once it is known whether a provider answers: a start does not wait for that, forecasts do.
    decided: SetOnce<()>,
}

pub(super) struct Provider {
    pub(super) provider: Arc<dyn WeatherProvider>,
    pub(super) limits: BudgetLimits,
    /// The truth where this process is alone; else what the database said last.
    breaker: Mutex<Breaker>,
    ttl_factor: AtomicU32,
    /// Whether somebody else's server is asked: what is made up here costs nobody anything.
    pub(super) is_remote: bool,
    /// Whether this process has shared its breaker before.
    pub(super) has_shared: AtomicBool,
}

/// Points whose height one call tells.
const ELEVATIONS_A_CALL: usize = 100;

impl Providers {
    /// `sandbox` stands in while no real provider has answered yet; a server that people rely on has none. With
    /// one, forecasts wait until [`Providers::decide`].
    pub fn new(real: Vec<Configured>, sandbox: Option<Arc<dyn WeatherProvider>>) -> Self {
        let sandbox = sandbox.map(|provider| Configured { provider, limits: BudgetLimits::UNLIMITED });
        let providers = Self {
            real: real.into_iter().map(|configured| Provider::new(configured, true)).collect(),
            sandbox: sandbox.map(|configured| Provider::new(configured, false)),
            in_sandbox: AtomicBool::new(false),
            decided: SetOnce::new(),
        };
        if providers.sandbox.is_none() {
            providers.decide(false);
        }
        providers
    }

    /// Says, once, whether this process begins with the sandbox.
    pub fn decide(&self, in_sandbox: bool) {
        if self.decided.initialized() {
            return;
        }
        self.in_sandbox.store(in_sandbox && self.sandbox.is_some(), Ordering::Release);
        // Somebody else may have decided in between; theirs stands as well.
        let _ = self.decided.set(());
    }

    /// Returns when that is known.
    pub async fn decided(&self) {
        self.decided.wait().await;
    }

    pub fn in_sandbox(&self) -> bool {
        self.in_sandbox.load(Ordering::Acquire)
    }

    /// A real provider has answered: from now on, and until the process ends, only real weather.
    pub fn leave_sandbox(&self) {
        if self.in_sandbox.swap(false, Ordering::AcqRel) {
            tracing::info!("the weather provider answers; the sandbox is no longer used");
        }
    }

    /// The real providers, for a probe.
    pub fn real(&self) -> impl Iterator<Item = Arc<dyn WeatherProvider>> {
        self.real.iter().map(|provider| provider.provider.clone())
    }

    /// Each provider in use with whether its breaker is closed: for readiness and metrics.
    pub fn health(&self) -> Vec<(Source, bool)> {
        let closed = |p: Arc<Provider>| {
            let closed = p.breaker().is_closed();
            (p.provider.source(), closed)
        };
        self.active().map(closed).collect()
    }

    pub(super) fn active(&self) -> impl Iterator<Item = Arc<Provider>> {
        let sandbox = self.sandbox.iter().filter(|_| self.in_sandbox());
        let real = self.real.iter().filter(|_| !self.in_sandbox());
        sandbox.chain(real).cloned().collect::<Vec<_>>().into_iter()
    }

    /// Whether any provider would be asked now. Only looks: a probe is not taken by it.
    pub(super) fn might_answer(&self, now: Timestamp) -> bool {
        self.active().any(|provider| {
            let mut breaker = provider.breaker().clone();
            matches!(breaker.permit(now), Permit::Go | Permit::Probe)
        })
    }

    pub(super) fn sources(&self) -> impl Iterator<Item = Source> {
        let in_sandbox = self.in_sandbox();
        let sandbox = self.sandbox.iter().filter(move |_| in_sandbox);
        let real = self.real.iter().filter(move |_| !in_sandbox);
        sandbox.chain(real).map(|provider| provider.provider.source())
    }

    pub(super) fn ttl_factor(&self, source: Source) -> u32 {
        let of = self.real.iter().find(|provider| provider.provider.source() == source);
        of.map_or(1, |provider| provider.ttl_factor.load(Ordering::Relaxed)).max(1)
    }

    /// Metres above the sea of each point, from the first provider that knows; never asks one that sleeps.
    /// Costs a call of the half of the budget that is for points.
    pub(super) async fn elevations(
        &self,
        store: &Store,
        points: &[Coordinates],
        now: Timestamp,
    ) -> Vec<Option<i32>> {
        for provider in self.active() {
            // Looked at and not asked for a permit: a probe's outcome would have to be reported, and heights say
            // little about forecasts.
            if !provider.breaker().is_closed() {
                continue;
            }
            let calls = points.len().div_ceil(ELEVATIONS_A_CALL) as u64;
            if provider.charge(store, Weight::calls(calls), Share::Points, now).await.is_err() {
                continue;
            }
            let metres = provider.provider.elevations(points).await;
            if metres.iter().any(Option::is_some) {
                return metres;
            }
        }
        vec![None; points.len()]
    }
}

impl Provider {
    fn new(configured: Configured, is_remote: bool) -> Arc<Self> {
        Arc::new(Self {
            provider: configured.provider,
            limits: configured.limits,
            breaker: Mutex::new(Breaker::default()),
            ttl_factor: AtomicU32::new(1),
            is_remote,
            has_shared: AtomicBool::new(false),
        })
    }

    pub(super) fn batch(&self) -> usize {
        self.provider.batch().max(1)
    }

    /// Asks for cells whose turn it is, and lets the breaker know how it went: a series or nothing for each.
    pub(super) async fn ask(
        &self,
        store: &Store,
        turn: &Turn,
        pack: Pack,
        now: Timestamp,
        random: &Random,
    ) -> Result<Vec<Option<Series>>, Unavailable> {
        let source = self.provider.source();
        let fetched = self.provider.fetch(&turn.ours, pack, now).await;
        self.record(store, turn, outcome(&fetched, source), now, random).await;
        match fetched {
            Ok(answers) => {
                let mut series = Vec::with_capacity(answers.len());
                for answer in answers {
                    if let Err(error) = &answer {
                        tracing::warn!(provider = source.name(), %error, "a provider had no answer for a cell");
                    }
                    series.push(answer.ok().map(|answer| answer.series));
                }
                series.resize_with(turn.ours.len(), || None);
                Ok(series)
            }
            Err(error) => {
                let cells = turn.ours.len();
                tracing::warn!(provider = source.name(), %error, cells, "a provider failed");
                Err(Unavailable::Provider { retry_after: Duration::from_secs(30) })
            }
        }
    }

    pub(super) fn breaker(&self) -> MutexGuard<'_, Breaker> {
        self.breaker.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn factor(&self) -> u32 {
        self.ttl_factor.load(Ordering::Relaxed).max(1)
    }

    pub(super) fn note_ttl_factor(&self, factor: u32) {
        self.ttl_factor.store(factor, Ordering::Relaxed);
    }

    /// Takes the call's weight out of the budget, in the database, so that restarts and nodes share it.
    pub(super) async fn charge(
        &self,
        store: &Store,
        weight: Weight,
        share: Share,
        now: Timestamp,
    ) -> Result<(), Unavailable> {
        if self.limits == BudgetLimits::UNLIMITED {
            return Ok(());
        }
        let (name, limits) = (self.provider.source().name(), self.limits);
        let charged = store
            .write(async move |tx| {
                let mut state = State::lock(tx, name, now).await?;
                let spent = state.kept.budget.spend(&limits, share, weight, now);
                if spent.is_ok() {
                    state.write(tx, name, now).await?;
                }
                Ok((spent, state.kept.budget.ttl_factor(&limits, now)))
            })
            .await;
        match charged {
            Ok((spent, factor)) => {
                self.note_ttl_factor(factor);
                spent.map_err(|exhausted| Unavailable::Budget { retry_after: exhausted.retry_after(now) })
            }
            Err(error) => {
                tracing::warn!(%error, "the budget could not be read, so nothing is asked");
                Err(Unavailable::Provider { retry_after: Duration::from_secs(5) })
            }
        }
    }
}

/// Why a permit is none.
pub(super) fn denied(permit: Permit, now: Timestamp) -> Result<(), Unavailable> {
    match permit {
        Permit::Go | Permit::Probe => Ok(()),
        Permit::Wait { until } => Err(Unavailable::Provider { retry_after: until.since(now) }),
        Permit::Off => Err(Unavailable::Provider { retry_after: Duration::from_secs(3600) }),
    }
}
