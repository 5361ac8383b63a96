//! An authenticator app: what it shows for the secret that a site gave.

use aws_lc_rs::hmac;
use domain::Timestamp;

/// The six digits of the half minute of `now` (RFC 6238).
///
/// # Panics
/// When the secret is no base 32.
pub fn code(secret: &str, now: Timestamp) -> String {
    let mut bits = 0u64;
    let mut held = 0;
    let mut key = Vec::new();
    for symbol in secret.bytes() {
        let at = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567".iter().position(|known| *known == symbol);
        bits = bits << 5 | at.expect("base 32") as u64;
        held += 5;
        if held >= 8 {
            held -= 8;
            key.push((bits >> held) as u8);
        }
    }
    let key = hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, &key);
    let tag = hmac::sign(&key, &(now.millis() / 30_000).to_be_bytes());
    let at = usize::from(tag.as_ref()[19] & 15);
    let word = u32::from_be_bytes(tag.as_ref()[at..at + 4].try_into().expect("four octets"));
    format!("{:06}", (word & 0x7FFF_FFFF) % 1_000_000)
}
