//! What nodes of one installation share and nobody else has: by it they know their own.

use domain::Result;
use vault::{MacKey, ServerKey};

/// Keys derived from a secret in the database, which the key ring opens: whoever has both is a node.
#[derive(Debug)]
pub struct Installation {
    /// Tells what is this installation's where several share a server.
    pub(crate) name: String,
    /// Shows that a message is from a node.
    pub(crate) messages: MacKey,
    /// Shows that a value of the shared cache is from a node, and was put under its key.
    pub(crate) values: MacKey,
}

impl Installation {
    /// Derives a key for each purpose.
    ///
    /// # Errors
    /// When the library fails.
    pub fn new(key: &ServerKey) -> Result<Self> {
        let name = MacKey::new(key, "bus installation")?.tag(&[]);
        Ok(Self {
            name: name.iter().map(|byte| format!("{byte:02x}")).collect(),
            messages: MacKey::new(key, "bus message")?,
            values: MacKey::new(key, "bus value")?,
        })
    }
}
