//! Which traffic is limited, and by what.

use std::sync::Arc;
use std::time::Duration;

use bus::{Tag, Taken};
use domain::{AccountId, Result, Timestamp};
use uuid::Uuid;
use vault::BlindIndex;

use crate::App;
use crate::api_keys;
use crate::caller::{Caller, Client, Network, Principal};
use crate::limits::{Buckets, Left, Rate};
use crate::settings::Limits;

/// How often [`App::tell_traffic`] is to run.
pub const TELL_EVERY: Duration = Duration::from_secs(1);
/// Buckets of one limit told at a time: all limits together are a few messages a second.
const TOLD_AT_ONCE: usize = 200;

/// The buckets of each limit.
pub(crate) struct Traffic {
    pub account: Buckets<AccountId>,
    mutations: Buckets<AccountId>,
    places: Buckets<Network>,
    anonymous: Buckets<Network>,
    passkeys: Buckets<Network>,
    oauth: Buckets<Network>,
    secrets: Buckets<Network>,
    cold_cells_account: Buckets<AccountId>,
    cold_cells_network: Buckets<Network>,
    pub services: Buckets<Uuid>,
}

/// What nodes call the limits. Nodes of two releases may talk, so a number is never used for another one.
const ACCOUNT: u8 = 1;
const MUTATIONS: u8 = 2;
const PLACES: u8 = 3;
const ANONYMOUS: u8 = 4;
const COLD_CELLS_ACCOUNT: u8 = 5;
const COLD_CELLS_NETWORK: u8 = 6;
const PASSKEYS: u8 = 7;
const SERVICES: u8 = 8;
const OAUTH: u8 = 9;
const SECRETS: u8 = 10;

/// Ways through providers that one network may begin or end. Each is a row, and a call to somebody else's server.
const OAUTH_RATE: Rate = Rate { per_second: 1.0, burst: 120 };

impl Traffic {
    /// `index` names the buckets to other nodes, so that neither accounts nor addresses travel; `None` where there are
    /// no others.
    pub fn new(limits: &Limits, index: Option<&Arc<BlindIndex>>) -> Self {
        let account =
            |rate| buckets(rate, index, "traffic account", |id: &AccountId| id.uuid().as_bytes().to_vec());
        let network = |rate| buckets(rate, index, "traffic network", |network: &Network| network.bytes());
        Self {
            account: account(limits.account),
            mutations: account(limits.mutations),
            places: network(limits.places),
            anonymous: network(limits.anonymous),
            passkeys: network(limits.passkeys),
            oauth: network(OAUTH_RATE),
            secrets: network(limits.secrets),
            cold_cells_account: account(limits.cold_cells_account),
            cold_cells_network: network(limits.cold_cells_network),
            services: buckets(api_keys::UNITS, index, "traffic service", |key: &Uuid| {
                key.as_bytes().to_vec()
            }),
        }
    }

    fn untold(&self, now: Timestamp) -> Vec<Taken> {
        let all = [
            (ACCOUNT, self.account.untold(TOLD_AT_ONCE, now)),
            (MUTATIONS, self.mutations.untold(TOLD_AT_ONCE, now)),
            (PLACES, self.places.untold(TOLD_AT_ONCE, now)),
            (ANONYMOUS, self.anonymous.untold(TOLD_AT_ONCE, now)),
            (OAUTH, self.oauth.untold(TOLD_AT_ONCE, now)),
            (SECRETS, self.secrets.untold(TOLD_AT_ONCE, now)),
            (COLD_CELLS_ACCOUNT, self.cold_cells_account.untold(TOLD_AT_ONCE, now)),
            (COLD_CELLS_NETWORK, self.cold_cells_network.untold(TOLD_AT_ONCE, now)),
            (PASSKEYS, self.passkeys.untold(TOLD_AT_ONCE, now)),
            (SERVICES, self.services.untold(TOLD_AT_ONCE, now)),
        ];
        let taken = |(limit, told): (u8, Vec<(Tag, u32)>)| {
            told.into_iter().map(move |(bucket, cost)| Taken { limit, bucket, cost })
        };
        all.into_iter().flat_map(taken).collect()
    }

    /// Other nodes have let this through.
    pub fn taken_elsewhere(&self, taken: &[Taken], now: Timestamp) {
        for Taken { limit, bucket, cost } in taken {
            match *limit {
                ACCOUNT => self.account.taken_elsewhere(*bucket, *cost, now),
                MUTATIONS => self.mutations.taken_elsewhere(*bucket, *cost, now),
                PLACES => self.places.taken_elsewhere(*bucket, *cost, now),
                OAUTH => self.oauth.taken_elsewhere(*bucket, *cost, now),
                SECRETS => self.secrets.taken_elsewhere(*bucket, *cost, now),
                ANONYMOUS => self.anonymous.taken_elsewhere(*bucket, *cost, now),
                COLD_CELLS_ACCOUNT => self.cold_cells_account.taken_elsewhere(*bucket, *cost, now),
                COLD_CELLS_NETWORK => self.cold_cells_network.taken_elsewhere(*bucket, *cost, now),
                PASSKEYS => self.passkeys.taken_elsewhere(*bucket, *cost, now),
                SERVICES => self.services.taken_elsewhere(*bucket, *cost, now),
                // A limit of a later release.
                _ => {}
            }
        }
    }
}

fn buckets<K: Clone + Eq + std::hash::Hash + 'static>(
    rate: Rate,
    index: Option<&Arc<BlindIndex>>,
    kind: &'static str,
    bytes: impl Fn(&K) -> Vec<u8> + Send + Sync + 'static,
) -> Buckets<K> {
    match index.cloned() {
        Some(index) => Buckets::over_nodes(rate, move |key| index.shared_tag(kind, &bytes(key))),
        None => Buckets::new(rate),
    }
}

impl App {
    /// Counts a request against its account.
    pub fn limit_requests(&self, caller: &Caller) -> Result<Left> {
        self.traffic.account.take(&caller.account, 1, self.now())
    }

    pub(crate) fn limit_mutations(&self, account: AccountId, count: u32) -> Result<()> {
        // A batch that costs more than a full bucket holds would never pass.
        let count = count.min(self.settings.limits.mutations.burst.max(1));
        self.traffic.mutations.take(&account, count, self.now()).map(drop)
    }

    pub(crate) fn is_limited(&self, client: &Client) -> bool {
        !(self.settings.trust_loopback && client.network.is_loopback())
    }

    pub(crate) fn limit_places(&self, client: &Client) -> Result<()> {
        if self.is_limited(client) {
            self.traffic.places.take(&client.network, 1, self.now())?;
        }
        Ok(())
    }

    pub(crate) fn limit_oauth(&self, client: &Client) -> Result<()> {
        if self.is_limited(client) {
            self.traffic.oauth.take(&client.network, 1, self.now())?;
        }
        Ok(())
    }

    /// Whoever shows a secret without a session has something looked up, and most of that is a write. Counted before it,
    /// or, where a look comes first, when the secret turned out to be none.
    pub fn limit_secrets(&self, client: &Client) -> Result<()> {
        if self.is_limited(client) {
            self.traffic.secrets.take(&client.network, 1, self.now())?;
        }
        Ok(())
    }

    pub(crate) fn limit_new_account(&self, client: &Client) -> Result<()> {
        if self.is_limited(client) {
            self.traffic.anonymous.take(&client.network, 1, self.now())?;
        }
        Ok(())
    }

    /// Each sign-in with a passkey that is begun leaves a challenge behind for some minutes, by whomever.
    pub(crate) fn limit_ceremonies(&self, client: &Client) -> Result<()> {
        if self.is_limited(client) {
            self.traffic.passkeys.take(&client.network, 1, self.now())?;
        }
        Ok(())
    }

    /// Fetching weather that nobody has yet is paid for by who asks.
    pub(crate) fn limit_cold_cells(
        &self,
        principal: &Principal,
        client: &Client,
        cells: usize,
    ) -> Result<()> {
        let (now, cells) = (self.now(), u32::try_from(cells).unwrap_or(u32::MAX));
        self.traffic.cold_cells_account.take(&principal.budget(), cells, now)?;
        if self.is_limited(client) {
            self.traffic.cold_cells_network.take(&client.network, cells, now)?;
        }
        Ok(())
    }

    /// Tells other nodes what was let through here since the last time.
    pub fn tell_traffic(&self) {
        self.bus.tell_taken(&self.traffic.untold(self.now()));
    }
}
