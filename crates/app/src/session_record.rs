//! What the store keeps of a session, in versioned JSON: all that the rules need, nothing personal.

use std::time::Duration;

use domain::refresh::{ClientTag, Generation, LastAnswer, MOST_REPLAYS, Refresh, Replays};
use domain::session::{Lifetime, Limits, Proof, Proofs, SessionKind};
use domain::{AccountId, Error, Random, Result, Timestamp};
use serde::{Deserialize, Serialize};
use uuid::Uuid;
use vault::refresh_token::SessionSalt;

/// A session with its refresh state and the proofs it rests on.
#[derive(Clone, Debug)]
pub struct SessionRecord {
    pub kind: SessionKind,
    pub refresh: Refresh,
    /// Half of the secret behind the session's refresh tokens; the other half is the server's.
    pub salt: SessionSalt,
    pub auth_time: Timestamp,
    pub proofs: Proofs,
    /// When a second factor was last shown in it.
    pub factor_time: Option<Timestamp>,
    /// The anonymous account that this browser used before it signed in, for an hour.
    pub adoptable: Option<Adoptable>,
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Adoptable {
    pub account: AccountId,
    pub until: Timestamp,
}

/// How long a sign-in remembers the anonymous account it came from.
pub const ADOPTABLE_FOR: Duration = Duration::from_secs(60 * 60);

#[derive(Serialize, Deserialize)]
struct Stored {
    v: u8,
    kind: String,
    created: Timestamp,
    used: Timestamp,
    idle_s: u64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    absolute_s: Option<u64>,
    generation: u64,
    confirmed: bool,
    rotated: Timestamp,
    /// How many there are, and the first of them: all that a node of an older version keeps.
    replays: usize,
    replays_since: Timestamp,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    replays_at: Vec<Timestamp>,
    answered: Timestamp,
    client: [u8; 8],
    salt: [u8; 32],
    auth_time: Timestamp,
    proofs: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    factor_time: Option<Timestamp>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    adoptable: Option<(Uuid, Timestamp)>,
}

impl Stored {
    fn replays(&self) -> Option<Replays> {
        if self.replays_at.len() == self.replays {
            return Replays::given_at(&self.replays_at);
        }
        let times = [self.replays_since; MOST_REPLAYS as usize];
        Replays::given_at(times.get(..self.replays)?)
    }
}

impl SessionRecord {
    /// A session that begins now.
    pub fn begin(
        kind: SessionKind,
        anonymous: bool,
        proofs: Proofs,
        client: ClientTag,
        random: &Random,
        now: Timestamp,
    ) -> Self {
        let lifetime = Lifetime::begin(Limits::of(kind, anonymous), now);
        Self {
            kind,
            refresh: Refresh::begin(lifetime, client, now),
            salt: SessionSalt::generate(random),
            auth_time: now,
            proofs,
            factor_time: proofs.second_factor().then_some(now),
            adoptable: None,
        }
    }

    /// The holder has shown who they are, again.
    pub fn proved(&mut self, proof: Proof, now: Timestamp) {
        self.auth_time = now;
        self.proofs = self.proofs.with(proof);
        if Proofs::NONE.with(proof).second_factor() {
            self.factor_time = Some(now);
        }
    }

    pub fn encode(&self) -> Result<Vec<u8>> {
        let Refresh { generation, confirmed, rotated_at, replays, last_answer, lifetime } = self.refresh;
        let stored = Stored {
            v: 1,
            kind: self.kind.name().to_owned(),
            created: lifetime.created_at,
            used: lifetime.used_at,
            idle_s: lifetime.limits.idle.as_secs(),
            absolute_s: lifetime.limits.absolute.map(|absolute| absolute.as_secs()),
            generation: generation.number(),
            confirmed,
            rotated: rotated_at,
            replays: replays.times().len(),
            replays_since: replays.times().first().copied().unwrap_or(rotated_at),
            replays_at: replays.times().to_vec(),
            answered: last_answer.at,
            client: last_answer.client.0,
            salt: *self.salt.as_bytes(),
            auth_time: self.auth_time,
            proofs: self.proofs.to_string(),
            factor_time: self.factor_time,
            adoptable: self.adoptable.map(|a| (a.account.uuid(), a.until)),
        };
        serde_json::to_vec(&stored).map_err(Error::internal)
    }

    pub fn decode(bytes: &[u8]) -> Result<Self> {
        let bad = || Error::internal("a stored session does not parse");
        let stored: Stored = serde_json::from_slice(bytes).map_err(|_| bad())?;
        if stored.v != 1 {
            return Err(bad());
        }
        let limits = Limits {
            idle: Duration::from_secs(stored.idle_s),
            absolute: stored.absolute_s.map(Duration::from_secs),
        };
        let refresh = Refresh {
            generation: Generation::new(stored.generation).ok_or_else(bad)?,
            confirmed: stored.confirmed,
            rotated_at: stored.rotated,
            replays: stored.replays().ok_or_else(bad)?,
            last_answer: LastAnswer { at: stored.answered, client: ClientTag(stored.client) },
            lifetime: Lifetime { created_at: stored.created, used_at: stored.used, limits },
        };
        Ok(Self {
            kind: SessionKind::parse(&stored.kind).ok_or_else(bad)?,
            refresh,
            salt: SessionSalt::from_bytes(stored.salt),
            auth_time: stored.auth_time,
            proofs: Proofs::parse(&stored.proofs),
            factor_time: stored.factor_time,
            adoptable: stored
                .adoptable
                .map(|(account, until)| Adoptable { account: AccountId::from_uuid(account), until }),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_session_reads_back_as_written() {
        let random = Random::new(|bytes| bytes.fill(7));
        let now = Timestamp::from_seconds(1_795_000_000);
        let proofs = Proofs::NONE.with(Proof::Password);
        let mut record =
            SessionRecord::begin(SessionKind::Bearer, false, proofs, ClientTag([1; 8]), &random, now);
        let account = AccountId::from_uuid(Uuid::from_u128(9));
        record.adoptable = Some(Adoptable { account, until: now.plus(ADOPTABLE_FOR) });
        record.proved(Proof::Totp, now.plus(ADOPTABLE_FOR));
        let read = SessionRecord::decode(&record.encode().unwrap()).unwrap();
        assert_eq!(
            (read.kind, read.refresh, read.auth_time),
            (record.kind, record.refresh, record.auth_time)
        );
        assert_eq!((read.proofs, read.adoptable), (record.proofs, record.adoptable));
        assert_eq!((read.factor_time, read.auth_time), (record.factor_time, now.plus(ADOPTABLE_FOR)));
        record.proved(Proof::Password, now);
        assert_eq!((record.factor_time, record.auth_time), (read.factor_time, now));
        assert_eq!(read.salt.as_bytes(), record.salt.as_bytes());
        assert!(SessionRecord::decode(b"{\"v\":2}").is_err());
    }

    #[test]
    fn replays_are_read_as_an_older_node_keeps_them_too() {
        let random = Random::new(|bytes| bytes.fill(7));
        let now = Timestamp::from_seconds(1_795_000_000);
        let mut record =
            SessionRecord::begin(SessionKind::Bearer, false, Proofs::NONE, ClientTag([1; 8]), &random, now);
        let times = [now, now.plus(ADOPTABLE_FOR)];
        record.refresh.replays = Replays::given_at(&times).unwrap();
        let state = record.encode().unwrap();
        assert_eq!(SessionRecord::decode(&state).unwrap().refresh.replays.times(), times);
        let mut older: serde_json::Value = serde_json::from_slice(&state).unwrap();
        older.as_object_mut().unwrap().remove("replays_at");
        let read = |state: &serde_json::Value| SessionRecord::decode(&serde_json::to_vec(state).unwrap());
        assert_eq!(read(&older).unwrap().refresh.replays.times(), [now, now]);
        older["replays"] = serde_json::json!(13);
        assert!(read(&older).is_err());
    }
}
