//! What the database keeps of a provider: its budget, and where nodes share it, its breaker.

use domain::forecast::{Breaker, Budget};
use domain::{Error, Timestamp};
use serde::{Deserialize, Deserializer, Serialize};
use store::{Result, Tx, cells};

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Kept {
    #[serde(flatten)]
    pub budget: Budget,
    #[serde(default, deserialize_with = "breaker")]
    pub breaker: Breaker,
}

/// A breaker of another version begins anew; what was spent counts all the same.
fn breaker<'de, D: Deserializer<'de>>(deserializer: D) -> std::result::Result<Breaker, D::Error> {
    let value = serde_json::Value::deserialize(deserializer)?;
    Ok(serde_json::from_value(value).unwrap_or_default())
}

/// The state, locked until the transaction ends.
pub(super) struct State {
    pub kept: Kept,
    as_read: Kept,
}

impl State {
    pub async fn lock(tx: &mut Tx, provider: &str, now: Timestamp) -> Result<Self> {
        let stored = cells::lock_provider(tx, provider, now).await?;
        // A state that does not parse is of another version; its windows begin anew.
        let kept: Kept = serde_json::from_slice(&stored).unwrap_or_default();
        Ok(Self { as_read: kept.clone(), kept })
    }

    /// Writes what has changed, if anything has.
    pub async fn write(&self, tx: &mut Tx, provider: &str, now: Timestamp) -> Result<()> {
        if self.kept == self.as_read {
            return Ok(());
        }
        let state = serde_json::to_vec(&self.kept).map_err(Error::internal)?;
        cells::set_provider(tx, provider, &state, now).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_state_without_a_breaker_parses() {
        let old = serde_json::to_string(&Budget::default()).unwrap();
        assert_eq!(serde_json::from_str::<Kept>(&old).unwrap(), Kept::default());
        let kept = serde_json::to_string(&Kept::default()).unwrap();
        assert_eq!(serde_json::from_str::<Kept>(&kept).unwrap(), Kept::default());
        // And the other way: a node of the version before goes on counting.
        assert_eq!(serde_json::from_str::<Budget>(&kept).unwrap(), Budget::default());
    }

    #[test]
    fn a_breaker_of_another_version_costs_no_budget() {
        let mut value = serde_json::to_value(Kept::default()).unwrap();
        value["breaker"] = serde_json::json!({"state": "resting"});
        assert_eq!(serde_json::from_value::<Kept>(value).unwrap(), Kept::default());
    }
}
