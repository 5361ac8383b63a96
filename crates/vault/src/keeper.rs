//! The key ring of a running server: as it was read, and read again when its file has changed.

use std::path::PathBuf;
use std::sync::{Arc, PoisonError, RwLock};

use domain::{AccountId, Random, Result};
use zeroize::Zeroizing;

use crate::ring::Ring;
use crate::seal::{Context, DataKey};

/// A ring that may be rotated while it is in use. A value that needs a key which is not in the ring has been wrapped
/// by somebody whose copy is newer: the file is read again then, so that no request fails for it.
pub struct RingKeeper {
    ring: RwLock<Arc<Ring>>,
    /// Where it comes from; `None` for the environment, which does not change while a process runs.
    file: Option<PathBuf>,
}

impl RingKeeper {
    pub fn new(ring: Ring, file: Option<PathBuf>) -> Self {
        Self { ring: RwLock::new(Arc::new(ring)), file }
    }

    /// The ring as it was last read.
    pub fn ring(&self) -> Arc<Ring> {
        self.ring.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Reads the file again and tells whether its keys are others now. Blocks for a moment.
    ///
    /// # Errors
    /// When the file is gone or damaged, or lacks the key that wraps now: what that has wrapped could be opened by
    /// nobody after this process ends. The ring that is in use stays.
    pub fn reload(&self) -> Result<bool> {
        let Some(file) = &self.file else { return Ok(false) };
        let read = Ring::load(file)?.ok_or_else(|| domain::Error::internal("the key ring is gone"))?;
        let mut ring = self.ring.write().unwrap_or_else(PoisonError::into_inner);
        let is_new = !read.has_same_keys(&ring);
        if is_new && !read.holds(ring.active_id()) {
            return Err(domain::Error::internal(format_args!(
                "the key ring {} lacks the key {}, which wraps everything here, and is not followed: put a copy that \
                 holds both back",
                file.display(),
                ring.active_id()
            )));
        }
        if is_new {
            *ring = Arc::new(read);
        }
        Ok(is_new)
    }

    /// See [`Ring::wrap`].
    pub fn wrap(&self, context: &Context, secret: &[u8], random: &Random) -> Result<Vec<u8>> {
        self.ring().wrap(context, secret, random)
    }

    /// See [`Ring::unwrap`].
    pub fn unwrap(&self, context: &Context, blob: &[u8]) -> Result<Zeroizing<Vec<u8>>> {
        self.holding(blob)?.unwrap(context, blob)
    }

    /// See [`Ring::new_data_key`].
    pub fn new_data_key(&self, account: AccountId, random: &Random) -> Result<(DataKey, Vec<u8>)> {
        self.ring().new_data_key(account, random)
    }

    /// See [`Ring::open_data_key`].
    pub fn open_data_key(&self, account: AccountId, wrapped: &[u8]) -> Result<DataKey> {
        self.holding(wrapped)?.open_data_key(account, wrapped)
    }

    /// A ring that holds the key which wrapped this value, if there is one.
    pub fn holding(&self, blob: &[u8]) -> Result<Arc<Ring>> {
        let ring = self.ring();
        if ring.holds_key_of(blob)? {
            return Ok(ring);
        }
        self.reload()?;
        Ok(self.ring())
    }
}

impl std::fmt::Debug for RingKeeper {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("RingKeeper").field("ring", &self.ring()).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::random;
    use uuid::Uuid;

    #[test]
    fn a_key_that_came_since_is_found_in_the_file() -> Result<()> {
        let (random, folder) = (random(1), tempfile::tempdir().unwrap());
        let file = folder.path().join("ring");
        let first = Ring::load_or_create(&file, &random)?;
        let keeper = RingKeeper::new(first, Some(file.clone()));
        let account = AccountId::from_uuid(Uuid::from_u128(7));
        let (_, by_first) = keeper.new_data_key(account, &random)?;
        Ring::load(&file)?.unwrap().rotated(&random)?.save(&file, &random)?;
        // Somebody else wraps with the new one before this keeper knows of it.
        let elsewhere = Ring::load(&file)?.unwrap();
        let (_, by_second) = elsewhere.new_data_key(account, &random)?;
        assert!(!keeper.ring().holds_key_of(&by_second)?);
        keeper.open_data_key(account, &by_second)?;
        keeper.open_data_key(account, &by_first)?;
        assert_eq!(keeper.ring().active_id(), elsewhere.active_id(), "and it wraps with the new one now");
        assert!(!keeper.reload()?, "nothing has changed since");
        Ok(())
    }

    #[test]
    fn a_file_without_the_key_that_wraps_is_not_followed() -> Result<()> {
        let (random, folder) = (random(1), tempfile::tempdir().unwrap());
        let file = folder.path().join("ring");
        let older = Ring::load_or_create(&file, &random)?;
        older.rotated(&random)?.save(&file, &random)?;
        let keeper = RingKeeper::new(Ring::load(&file)?.unwrap(), Some(file.clone()));
        let account = AccountId::from_uuid(Uuid::from_u128(7));
        let (_, wrapped) = keeper.new_data_key(account, &random)?;
        // A copy from before the rotation.
        let text = keeper.ring().to_text().replace("active:", "gone:").replace("retired:", "active:");
        let older: String = text.lines().filter(|line| line.starts_with("active:")).collect();
        Ring::parse(&older)?.save(&file, &random)?;
        let error = keeper.reload().unwrap_err().to_string();
        assert!(error.contains(&keeper.ring().active_id().to_string()), "{error}");
        keeper.open_data_key(account, &wrapped).map(drop)
    }

    #[test]
    fn a_damaged_file_takes_no_key_away() -> Result<()> {
        let (random, folder) = (random(1), tempfile::tempdir().unwrap());
        let file = folder.path().join("ring");
        let keeper = RingKeeper::new(Ring::load_or_create(&file, &random)?, Some(file.clone()));
        let account = AccountId::from_uuid(Uuid::from_u128(7));
        let (_, wrapped) = keeper.new_data_key(account, &random)?;
        std::fs::write(&file, "active:nonsense").unwrap();
        assert!(keeper.reload().is_err());
        keeper.open_data_key(account, &wrapped)?;
        std::fs::remove_file(&file).unwrap();
        assert!(keeper.reload().is_err());
        keeper.open_data_key(account, &wrapped).map(drop)
    }
}
