//! The key ring: the keys that wrap all other keys, and the only secret that lives outside the database.
//!
//! As text it is one entry per key, separated by white space or commas, `#` begins a comment to the end of
//! its line:
//!
//! ```text
//! active:1f0c22aa:6p1i…43 characters of base64url…
//! retired:90ab12cd:Zk3x…
//! ```
//!
//! Exactly one key is active: it wraps. Retired ones still unwrap, until everything was rewrapped. A key's id
//! is the beginning of its SHA-256, so a mistyped or damaged key is noticed before it is used.
//!
//! A wrapped secret is `version (1) ‖ key id (4) ‖ sealed by that key`.

use std::fmt;
use std::fs::{self, File, OpenOptions};
use std::io::{ErrorKind, Read, Write};
use std::path::Path;

use aws_lc_rs::digest;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use domain::{AccountId, Error, Random, Result};
use uuid::Uuid;
use zeroize::Zeroizing;

use crate::seal::{Context, DataKey, KEY_LENGTH};

mod change;

pub use change::Change;

const VERSION: u8 = 1;
/// More keys than this were never rotated out; it bounds what a file can make us read.
const MOST_KEYS: usize = 64;
/// A ring of [`MOST_KEYS`] with room for comments.
const LONGEST_TEXT: u64 = 64 * 1024;

/// The first four bytes of SHA-256 over a label and the key.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct RingKeyId([u8; 4]);

impl RingKeyId {
    fn of(key: &[u8; KEY_LENGTH]) -> Self {
        let mut context = digest::Context::new(&digest::SHA256);
        context.update(b"fairweather ring key id");
        context.update(key);
        let hash = context.finish();
        Self(hash.as_ref().first_chunk().copied().unwrap_or_default())
    }
}

impl fmt::Display for RingKeyId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{:08x}", u32::from_be_bytes(self.0))
    }
}

impl fmt::Debug for RingKeyId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "RingKeyId({self})")
    }
}

struct RingKey {
    id: RingKeyId,
    bytes: Zeroizing<[u8; KEY_LENGTH]>,
    cipher: DataKey,
}

impl RingKey {
    fn new(bytes: Zeroizing<[u8; KEY_LENGTH]>) -> Result<Self> {
        Ok(Self { id: RingKeyId::of(&bytes), cipher: DataKey::from_bytes(&bytes)?, bytes })
    }

    fn generate(random: &Random) -> Result<Self> {
        let mut bytes = Zeroizing::new([0; KEY_LENGTH]);
        random.fill(&mut *bytes);
        Self::new(bytes)
    }
}

/// One active key and the retired ones.
pub struct Ring {
    active: RingKey,
    retired: Vec<RingKey>,
}

impl Ring {
    /// A new ring of one key.
    pub fn generate(random: &Random) -> Result<Self> {
        Ok(Self { active: RingKey::generate(random)?, retired: Vec::new() })
    }

    /// Reads the text form, as from an environment variable. Fails with `Internal`; the text is never quoted.
    pub fn parse(text: &str) -> Result<Self> {
        let mut active = None;
        let mut retired: Vec<RingKey> = Vec::new();
        let uncommented = text.lines().map(|line| line.split('#').next().unwrap_or_default());
        let entries = uncommented
            .flat_map(|line| line.split(|separator: char| separator == ',' || separator.is_whitespace()));
        for (index, entry) in entries.filter(|entry| !entry.is_empty()).enumerate() {
            let wrong = |what: &str| Error::internal(format_args!("key ring, entry {}: {what}", index + 1));
            if index >= MOST_KEYS {
                return Err(wrong("too many keys"));
            }
            let mut parts = entry.splitn(3, ':');
            let (Some(state), Some(id), Some(secret)) = (parts.next(), parts.next(), parts.next()) else {
                return Err(wrong("must have the form state:id:key"));
            };
            let secret = Zeroizing::new(
                URL_SAFE_NO_PAD.decode(secret).map_err(|_| wrong("the key is not base64url"))?,
            );
            let secret = <[u8; KEY_LENGTH]>::try_from(secret.as_slice())
                .map_err(|_| wrong("the key must have 256 bits"))?;
            let key = RingKey::new(Zeroizing::new(secret))?;
            if key.id.to_string() != id {
                return Err(wrong("the key does not match its id; it was changed or cut off"));
            }
            let known = retired.iter().chain(&active).any(|other| other.id == key.id);
            match state {
                _ if known => return Err(wrong("this key is there twice")),
                "active" if active.is_some() => return Err(wrong("a second active key")),
                "active" => active = Some(key),
                "retired" => retired.push(key),
                _ => return Err(wrong("the state must be active or retired")),
            }
        }
        let active = active.ok_or_else(|| Error::internal("the key ring has no active key"))?;
        Ok(Self { active, retired })
    }

    /// The text form, which [`Ring::parse`] reads back.
    pub fn to_text(&self) -> Zeroizing<String> {
        let mut text = Zeroizing::new(String::with_capacity(64 * (1 + self.retired.len())));
        let states = std::iter::once("active").chain(std::iter::repeat("retired"));
        for (state, key) in states.zip(std::iter::once(&self.active).chain(&self.retired)) {
            let secret = Zeroizing::new(URL_SAFE_NO_PAD.encode(*key.bytes));
            for part in [state, ":", &key.id.to_string(), ":", &secret, "\n"] {
                text.push_str(part);
            }
        }
        text
    }

    /// Reads the ring's file; `None` when there is none. Refuses one that others than its owner can read or
    /// write: a ring that leaked protects nothing, and the operator should know.
    pub fn load(path: &Path) -> Result<Option<Self>> {
        let file = match File::open(path) {
            Ok(file) => file,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(Error::internal(format_args!("the key ring cannot be read: {error}"))),
        };
        refuse_if_shared(&file)?;
        let mut text = Zeroizing::new(String::new());
        file.take(LONGEST_TEXT)
            .read_to_string(&mut text)
            .map_err(|error| Error::internal(format_args!("the key ring cannot be read: {error}")))?;
        Self::parse(&text).map(Some)
    }

    /// Reads the ring's file, or makes one with a new key when there is none. Of two processes that start
    /// at once both end up with the same ring.
    pub fn load_or_create(path: &Path, random: &Random) -> Result<Self> {
        if let Some(ring) = Self::load(path)? {
            return Ok(ring);
        }
        Self::generate(random)?.write(path, random, Replace::No)?;
        Self::load(path)?.ok_or_else(|| Error::internal("the key ring vanished while it was made"))
    }

    /// Replaces the ring's file at once and durably, readable for its owner alone.
    pub fn save(&self, path: &Path, random: &Random) -> Result<()> {
        self.write(path, random, Replace::Yes)
    }

    fn write(&self, path: &Path, random: &Random, replace: Replace) -> Result<()> {
        let failed = |error| Error::internal(format_args!("the key ring cannot be written: {error}"));
        let mut name = path.file_name().unwrap_or_default().to_owned();
        name.push(format!(".{:08x}.new", u32::from_le_bytes(random.bytes())));
        let draft = path.with_file_name(name);
        let mut options = OpenOptions::new();
        options.write(true).create_new(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let mut file = options.open(&draft).map_err(failed)?;
        let placed =
            file.write_all(self.to_text().as_bytes()).and_then(|()| file.sync_all()).and_then(|()| {
                match replace {
                    Replace::Yes => fs::rename(&draft, path),
                    // A hard link fails where the name is taken: whoever came first wins, and nothing is lost.
                    Replace::No => match fs::hard_link(&draft, path) {
                        Err(error) if error.kind() == ErrorKind::AlreadyExists => Ok(()),
                        outcome => outcome,
                    },
                }
            });
        // After a rename it is gone already; after a link, or a failure, it must not stay behind.
        let removed = match fs::remove_file(&draft) {
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
            outcome => outcome,
        };
        placed.and(removed).and_then(|()| sync_folder(path)).map_err(failed)
    }

    /// The id of the active key.
    pub fn active_id(&self) -> RingKeyId {
        self.active.id
    }

    /// The ids of the retired keys, the latest first.
    pub fn retired_ids(&self) -> impl Iterator<Item = RingKeyId> {
        self.retired.iter().map(|key| key.id)
    }

    /// The ring with a new active key; the old one retires. Nothing sealed changes: wrapped keys are
    /// rewrapped, when there is time for it, by [`Ring::rewrap`].
    pub fn rotated(mut self, random: &Random) -> Result<Self> {
        self.has_room()?;
        self.retired.insert(0, self.active);
        Ok(Self { active: RingKey::generate(random)?, retired: self.retired })
    }

    /// The ring without its retired keys. What was not rewrapped is lost then.
    #[must_use]
    pub fn without_retired(self) -> Self {
        Self { retired: Vec::new(), ..self }
    }

    /// Wraps a secret with the active key, for its place.
    pub fn wrap(&self, context: &Context, secret: &[u8], random: &Random) -> Result<Vec<u8>> {
        let sealed = self.active.cipher.seal(context, secret, random)?;
        let mut blob = Vec::with_capacity(5 + sealed.len());
        blob.push(VERSION);
        blob.extend_from_slice(&self.active.id.0);
        blob.extend_from_slice(&sealed);
        Ok(blob)
    }

    /// Takes a wrapped secret out again.
    ///
    /// Fails with `Internal`: the key is not in this ring (its id is named), or the place or a bit differs.
    pub fn unwrap(&self, context: &Context, blob: &[u8]) -> Result<Zeroizing<Vec<u8>>> {
        let (id, sealed) = split(blob)?;
        std::iter::once(&self.active)
            .chain(&self.retired)
            .find(|key| key.id == id)
            .ok_or_else(|| Error::internal(format_args!("the key ring holds no key {id}")))?
            .cipher
            .open(context, sealed)
    }

    /// Wraps anew with the active key what a retired one wrapped; `None` when nothing is to be done.
    pub fn rewrap(&self, context: &Context, blob: &[u8], random: &Random) -> Result<Option<Vec<u8>>> {
        if split(blob)?.0 == self.active.id {
            return Ok(None);
        }
        let secret = self.unwrap(context, blob)?;
        self.wrap(context, &secret, random).map(Some)
    }

    /// Whether this ring can unwrap the value: holds the key that wrapped it.
    pub fn holds_key_of(&self, blob: &[u8]) -> Result<bool> {
        Ok(self.holds(split(blob)?.0))
    }

    /// Whether this ring has the key, active or retired.
    pub fn holds(&self, id: RingKeyId) -> bool {
        id == self.active.id || self.retired_ids().any(|retired| retired == id)
    }

    /// Whether the value is wrapped by the active key.
    pub fn is_current(&self, blob: &[u8]) -> Result<bool> {
        Ok(split(blob)?.0 == self.active.id)
    }

    /// What everything that the active key wraps begins with.
    pub fn active_prefix(&self) -> [u8; 5] {
        let [a, b, c, d] = self.active.id.0;
        [VERSION, a, b, c, d]
    }

    /// The ring with one more key that unwraps and does not wrap yet: for nodes with copies of their own, all of
    /// which must hold a key before one of them wraps with it.
    pub fn with_standby(mut self, random: &Random) -> Result<(Self, RingKeyId)> {
        let standby = RingKey::generate(random)?;
        let id = standby.id;
        self.has_room()?;
        self.retired.push(standby);
        Ok((self, id))
    }

    /// The ring with another of its keys active; the one that was retires.
    ///
    /// # Errors
    /// `NotFound` when the ring holds no other key of this id.
    pub fn activated(mut self, id: &str) -> Result<Self> {
        let at = self.retired.iter().position(|key| key.id.to_string() == id).ok_or(Error::NotFound)?;
        let chosen = self.retired.remove(at);
        self.retired.insert(0, std::mem::replace(&mut self.active, chosen));
        Ok(self)
    }

    fn has_room(&self) -> Result<()> {
        if self.retired.len() + 1 < MOST_KEYS {
            return Ok(());
        }
        Err(Error::internal("the key ring is full: rewrap, then drop retired keys"))
    }

    /// Whether both hold the same keys in the same states.
    pub fn has_same_keys(&self, other: &Self) -> bool {
        self.active.id == other.active.id && self.retired_ids().eq(other.retired_ids())
    }

    /// A new data key for an account, and its wrapped form to store.
    pub fn new_data_key(&self, account: AccountId, random: &Random) -> Result<(DataKey, Vec<u8>)> {
        let mut bytes = Zeroizing::new([0; KEY_LENGTH]);
        random.fill(&mut *bytes);
        let wrapped = self.wrap(&Self::data_key_place(account), &*bytes, random)?;
        Ok((DataKey::from_bytes(&bytes)?, wrapped))
    }

    /// The data key of an account from its wrapped form.
    pub fn open_data_key(&self, account: AccountId, wrapped: &[u8]) -> Result<DataKey> {
        let bytes = self.unwrap(&Self::data_key_place(account), wrapped)?;
        match bytes.first_chunk() {
            Some(key) if bytes.len() == KEY_LENGTH => DataKey::from_bytes(key),
            _ => Err(Error::internal("a stored data key has the wrong length")),
        }
    }

    /// Where a data key counts as stored, for [`Ring::rewrap`].
    pub const fn data_key_place(account: AccountId) -> Context {
        Context::new("accounts", account, Uuid::nil(), "data_key")
    }
}

impl fmt::Debug for Ring {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let retired: Vec<_> = self.retired_ids().collect();
        formatter.debug_struct("Ring").field("active", &self.active.id).field("retired", &retired).finish()
    }
}

enum Replace {
    Yes,
    No,
}

fn split(blob: &[u8]) -> Result<(RingKeyId, &[u8])> {
    match blob.split_first() {
        Some((&VERSION, rest)) => rest.split_first_chunk().map(|(id, sealed)| (RingKeyId(*id), sealed)),
        _ => None,
    }
    .ok_or_else(|| Error::internal("a wrapped key has an unknown form"))
}

#[cfg(unix)]
fn refuse_if_shared(file: &File) -> Result<()> {
    use std::os::unix::fs::MetadataExt;
    let metadata = file
        .metadata()
        .map_err(|error| Error::internal(format_args!("the key ring cannot be examined: {error}")))?;
    if !metadata.is_file() {
        return Err(Error::internal("the key ring is not a file"));
    }
    if metadata.mode() & 0o077 != 0 {
        return Err(Error::internal("the key ring can be read by others than its owner: chmod 600 it"));
    }
    Ok(())
}

#[cfg(not(unix))]
fn refuse_if_shared(_: &File) -> Result<()> {
    Ok(())
}

/// Makes a new name last: on Unix a folder is synced like a file.
#[cfg(unix)]
fn sync_folder(path: &Path) -> std::io::Result<()> {
    let folder = match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    };
    File::open(folder)?.sync_all()
}

#[cfg(not(unix))]
fn sync_folder(_: &Path) -> std::io::Result<()> {
    Ok(())
}

#[cfg(test)]
mod tests;
