//! The secret that an app shares with Facebook, and the two things that are signed with it: our requests, and what
//! Facebook tells us.

use std::fmt;
use std::time::Duration;

use aws_lc_rs::hmac;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use domain::Timestamp;
use domain::clock::CLOCK_SKEW;
use serde::Deserialize;

use crate::object;

/// The longest signed request that is looked at.
const LONGEST: usize = 8 * 1024;
/// Facebook tells at once, and again when it was not answered; what is older is a replay.
const OLDEST: Duration = Duration::from_secs(24 * 60 * 60);

/// Signs with the secret, and checks what was signed with it.
pub struct AppSecret(hmac::Key);

/// What Facebook tells of a user.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignedRequest {
    pub user: String,
    /// To the second.
    pub issued_at: Timestamp,
}

#[derive(Deserialize)]
struct Wire {
    algorithm: String,
    user_id: String,
    issued_at: i64,
}

impl AppSecret {
    pub fn new(secret: &str) -> Self {
        Self(hmac::Key::new(hmac::HMAC_SHA256, secret.as_bytes()))
    }

    /// `appsecret_proof`: shows that a call with an access token comes from the app itself.
    pub fn proof(&self, access_token: &str) -> String {
        let tag = hmac::sign(&self.0, access_token.as_bytes());
        tag.as_ref().iter().map(|byte| format!("{byte:02x}")).collect()
    }

    /// What a `signed_request` tells; `None` unless Facebook signed it within the last day.
    pub fn read(&self, signed_request: &str, now: Timestamp) -> Option<SignedRequest> {
        if signed_request.len() > LONGEST {
            return None;
        }
        let (tag, payload) = signed_request.split_once('.')?;
        let tag = URL_SAFE_NO_PAD.decode(tag).ok()?;
        hmac::verify(&self.0, payload.as_bytes(), &tag).ok()?;
        let wire: Wire = object::read(&URL_SAFE_NO_PAD.decode(payload).ok()?)?;
        let issued_at = Timestamp::from_seconds(wire.issued_at);
        let is_recent = issued_at <= now.plus(CLOCK_SKEW) && now < issued_at.plus(OLDEST);
        (wire.algorithm == "HMAC-SHA256" && is_recent)
            .then_some(SignedRequest { user: wire.user_id, issued_at })
    }
}

impl fmt::Debug for AppSecret {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("AppSecret(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp::from_seconds(1_795_000_000);

    fn signed(secret: &AppSecret, payload: &str) -> String {
        let payload = URL_SAFE_NO_PAD.encode(payload);
        let tag = hmac::sign(&secret.0, payload.as_bytes());
        format!("{}.{payload}", URL_SAFE_NO_PAD.encode(tag))
    }

    #[test]
    fn only_what_facebook_signed_counts() {
        let secret = AppSecret::new("secret");
        let told = |algorithm: &str, at: i64| {
            format!(r#"{{"algorithm":"{algorithm}","user_id":"1234","issued_at":{at},"more":1}}"#)
        };
        let (now, hmac) = (NOW.seconds(), "HMAC-SHA256");
        let good = signed(&secret, &told(hmac, now));
        let read = SignedRequest { user: String::from("1234"), issued_at: NOW };
        assert_eq!(secret.read(&good, NOW), Some(read));
        let (tag, payload) = good.split_once('.').unwrap();
        let other = URL_SAFE_NO_PAD.encode(told(hmac, now).replace("1234", "9999"));
        for (bad, why) in [
            (signed(&AppSecret::new("other"), &told(hmac, now)), "another secret"),
            (format!("{tag}.{other}"), "another user"),
            (format!(".{payload}"), "no signature"),
            (payload.to_owned(), "one part"),
            (signed(&secret, &told("none", now)), "another algorithm"),
            (signed(&secret, &told(hmac, now - 24 * 60 * 60)), "old"),
            (signed(&secret, &told(hmac, now + 3600)), "from the future"),
            (signed(&secret, "{}"), "about nobody"),
            (signed(&secret, &"x".repeat(10_000)), "huge"),
        ] {
            assert_eq!(secret.read(&bad, NOW), None, "{why}");
        }
    }

    #[test]
    fn a_proof_is_the_hmac_in_hex() {
        // RFC 4231, test case 2.
        let expected = "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843";
        assert_eq!(AppSecret::new("Jefe").proof("what do ya want for nothing?"), expected);
    }
}
