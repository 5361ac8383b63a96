//! Signatures of webhooks, as the Standard Webhooks have them: HMAC-SHA-256 over id, time and body.

use std::fmt;

use aws_lc_rs::hmac;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use domain::{Error, Random, Result, Timestamp};
use zeroize::Zeroizing;

const PREFIX: &str = "whsec_";
const LENGTH: usize = 32;

/// What sender and receiver of a webhook share: 256 random bits.
#[derive(Clone)]
pub struct WebhookSecret(Zeroizing<[u8; LENGTH]>);

impl WebhookSecret {
    /// A fresh one.
    pub fn generate(random: &Random) -> Self {
        let mut bytes = Zeroizing::new([0; LENGTH]);
        random.fill(&mut *bytes);
        Self(bytes)
    }

    /// As the receiver is told it, once: `whsec_` and base64.
    pub fn to_text(&self) -> Zeroizing<String> {
        Zeroizing::new(format!("{PREFIX}{}", STANDARD.encode(*self.0)))
    }

    /// Reads what [`WebhookSecret::to_text`] wrote.
    ///
    /// # Errors
    /// `Internal` for anything else: only what we wrote and sealed ourselves is read.
    pub fn from_text(text: &str) -> Result<Self> {
        let bad = || Error::internal("a webhook's secret does not parse");
        let mut bytes = Zeroizing::new([0; LENGTH]);
        let encoded = text.strip_prefix(PREFIX).ok_or_else(bad)?;
        match STANDARD.decode_slice(encoded, &mut *bytes) {
            Ok(LENGTH) => Ok(Self(bytes)),
            _ => Err(bad()),
        }
    }

    /// The value of `webhook-signature`: `v1,` and base64.
    pub fn sign(&self, id: &str, at: Timestamp, body: &[u8]) -> String {
        let key = hmac::Key::new(hmac::HMAC_SHA256, &*self.0);
        let mut context = hmac::Context::with_key(&key);
        context.update(id.as_bytes());
        context.update(b".");
        context.update(at.seconds().to_string().as_bytes());
        context.update(b".");
        context.update(body);
        format!("v1,{}", STANDARD.encode(context.sign().as_ref()))
    }
}

impl fmt::Debug for WebhookSecret {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("WebhookSecret(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::random;

    #[test]
    fn a_secret_reads_back() -> Result<()> {
        let secret = WebhookSecret::generate(&random(1));
        let text = secret.to_text();
        let at = Timestamp::from_seconds(1_614_265_330);
        assert_eq!(WebhookSecret::from_text(&text)?.sign("a", at, b"{}"), secret.sign("a", at, b"{}"));
        for wrong in ["", "whsec_", &text[1..], &text[..30]] {
            assert!(WebhookSecret::from_text(wrong).is_err(), "{wrong}");
        }
        assert_eq!(format!("{secret:?}"), "WebhookSecret(…)");
        Ok(())
    }

    #[test]
    fn signatures_are_those_of_another_implementation() -> Result<()> {
        // Computed with Python's hmac.
        let secret = WebhookSecret::from_text("whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=")?;
        let at = Timestamp::from_seconds(1_614_265_330);
        let body = br#"{"type":"account.created"}"#;
        assert_eq!(secret.sign("msg_1", at, body), "v1,ZvvKfS1b43tl1ixjGTlTxeOgn5qrtrUFzmFcW6bXV3c=");
        Ok(())
    }
}
