//! Devices that signed in before: each may go on failing by itself, whatever strangers do with the same address.
//!
//! A token says that somebody signed in with this address on this device within a year, and nothing else: it opens
//! nothing, and a thief of one gains a hundred guesses.

use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use domain::Timestamp;
use domain::email::Email;
use vault::index::Tag;
use zeroize::Zeroizing;

use crate::App;
use crate::caller::Client;
use crate::sign_in::SignedIn;

/// How long a device is remembered after its last sign-in.
const REMEMBERED_FOR: Duration = Duration::from_secs(365 * 24 * 60 * 60);
const PREFIX: &str = "dt1.";
/// Id, end in milliseconds, tag.
const LENGTH: usize = 16 + 8 + 16;
const TEXT_LENGTH: usize = (LENGTH * 4).div_ceil(3);

/// What a device keeps after a sign-in.
pub struct DeviceToken {
    pub text: Zeroizing<String>,
    pub ends_at: Timestamp,
}

impl std::fmt::Debug for DeviceToken {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("DeviceToken(…)")
    }
}

/// A device that somebody signed in on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct DeviceId([u8; 16]);

impl DeviceId {
    pub(crate) const fn bytes(&self) -> &[u8; 16] {
        &self.0
    }
}

impl App {
    /// Lets the device be known when it comes back to sign in with this address.
    pub(crate) fn remember_device(
        &self,
        signed_in: SignedIn,
        email: &Email,
        client: &Client,
        now: Timestamp,
    ) -> SignedIn {
        let id = self.known_device(email, client, now).unwrap_or_else(|| DeviceId(self.random.bytes()));
        let ends_at = now.plus(REMEMBERED_FOR);
        let mut bytes = Zeroizing::new(Vec::with_capacity(LENGTH));
        bytes.extend_from_slice(&id.0);
        bytes.extend_from_slice(&ends_at.millis().to_be_bytes());
        bytes.extend_from_slice(&self.device_tag(email, &id, ends_at));
        let text = Zeroizing::new(format!("{PREFIX}{}", URL_SAFE_NO_PAD.encode(&*bytes)));
        signed_in.on_known_device(DeviceToken { text, ends_at })
    }

    /// The device that the client shows a token of, if that token is ours, of this address, and not too old.
    pub(crate) fn known_device(&self, email: &Email, client: &Client, now: Timestamp) -> Option<DeviceId> {
        let text = client.device_token.as_deref()?.strip_prefix(PREFIX)?;
        if text.len() != TEXT_LENGTH {
            return None;
        }
        let bytes = URL_SAFE_NO_PAD.decode(text).ok()?;
        let (id, rest) = bytes.split_first_chunk::<16>()?;
        let (ends_at, rest) = rest.split_first_chunk::<8>()?;
        let tag: &Tag = rest.try_into().ok()?;
        let (id, ends_at) = (DeviceId(*id), Timestamp::from_millis(i64::from_be_bytes(*ends_at)));
        let is_ours =
            self.device_key.is_valid(&parts(email, &id, ends_at).each_ref().map(Vec::as_slice), tag);
        (is_ours && now < ends_at).then_some(id)
    }

    fn device_tag(&self, email: &Email, id: &DeviceId, ends_at: Timestamp) -> Tag {
        self.device_key.tag(&parts(email, id, ends_at).each_ref().map(Vec::as_slice))
    }
}

/// What a token is signed over: of another address it is worth nothing.
fn parts(email: &Email, id: &DeviceId, ends_at: Timestamp) -> [Vec<u8>; 3] {
    [email.normal_form().into_bytes(), id.0.to_vec(), ends_at.millis().to_be_bytes().to_vec()]
}
