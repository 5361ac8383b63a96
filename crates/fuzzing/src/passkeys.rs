//! What browsers and authenticators say: CBOR, COSE keys, authenticator data, client data.

use std::sync::LazyLock;

use aws_lc_rs::digest::{SHA256, digest};
use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};
use vault::webauthn::{Assertion, CredentialKey, RelyingParty, Verification, challenge_of};

const SITE: &str = "here.example";
const PAGE: &str = "https://here.example";
const CHALLENGE: [u8; 32] = [7; 32];

static US: LazyLock<RelyingParty> = LazyLock::new(|| RelyingParty::new(SITE, vec![PAGE.to_owned()]));
static HOLDER: LazyLock<Ed25519KeyPair> =
    LazyLock::new(|| Ed25519KeyPair::from_seed_unchecked(&[9; 32]).expect("a seed"));
/// The public half as authenticators write it.
static KEY: LazyLock<CredentialKey> = LazyLock::new(|| {
    let head = [0xA4, 1, 1, 3, 0x27, 0x20, 6, 0x21, 0x58, 0x20];
    CredentialKey::parse(&[&head[..], HOLDER.public_key().as_ref()].concat()).expect("a key")
});

fn client_data(kind: &str) -> Vec<u8> {
    json!({"type": kind, "challenge": URL_SAFE_NO_PAD.encode(CHALLENGE), "origin": PAGE}).to_string().into()
}

/// An attestation object, with what a browser says of it that is right, and as the browser's words.
pub fn passkey_registration(input: &[u8]) {
    assert!(US.read_new(&CHALLENGE, input, &attestation(input)).is_err() || says(input, "webauthn.create"));
    for object in [input.to_vec(), attestation(input)] {
        let Ok(made) = US.read_new(&CHALLENGE, &client_data("webauthn.create"), &object) else { continue };
        assert!((1..=1023).contains(&made.id.len()));
        let contains = |part: &[u8]| object.windows(part.len()).any(|window| window == part);
        assert!(contains(&site()) && contains(&made.id) && contains(made.key.as_cose()));
        assert_eq!(
            CredentialKey::parse(made.key.as_cose()).as_ref(),
            Ok(&made.key),
            "what is stored reads back"
        );
        assert!(made.key.verify(b"nothing", b"").is_err());
        assert!(
            US.read_new(&[8; 32], &client_data("webauthn.create"), &object).is_err(),
            "another challenge"
        );
    }
    if let Ok(key) = CredentialKey::parse(input) {
        assert_eq!(key.as_cose(), input);
    }
}

/// The input as the authenticator data of an attestation object.
fn attestation(data: &[u8]) -> Vec<u8> {
    let length = u16::try_from(data.len()).unwrap_or(u16::MAX).to_be_bytes();
    let head = b"\xA3\x63fmt\x64none\x67attStmt\xA0\x68authData\x59";
    [&head[..], &length, data].concat()
}

/// Authenticator data, and client data from the first bracket on: forged, and signed by the true key.
pub fn passkey_assertion(input: &[u8]) {
    let split = input.iter().position(|byte| b"{[".contains(byte)).unwrap_or(input.len());
    let (authenticator_data, said) = input.split_at(split);
    let said = if said.is_empty() { client_data("webauthn.get") } else { said.to_vec() };
    let forged = Assertion {
        client_data: said.clone(),
        authenticator_data: authenticator_data.to_vec(),
        signature: input.iter().copied().chain([0; 64]).take(64).collect(),
    };
    assert!(US.verify(&CHALLENGE, &KEY, &forged, Verification::Any).is_err(), "nobody guesses a signature");
    let signed = [authenticator_data, digest(&SHA256, &said).as_ref()].concat();
    let signature = HOLDER.sign(&signed).as_ref().to_vec();
    let shown = Assertion { signature, ..forged };
    let any = US.verify(&CHALLENGE, &KEY, &shown, Verification::Any);
    let required = US.verify(&CHALLENGE, &KEY, &shown, Verification::Required);
    let Ok(any) = any else {
        assert!(required.is_err(), "who must show more is not let in with less");
        return;
    };
    assert!(says(&said, "webauthn.get"));
    assert_eq!(challenge_of(&said).as_deref(), Some(&CHALLENGE[..]));
    let (hash, rest) = authenticator_data.split_at(32);
    assert_eq!(hash, site());
    assert!(rest[0] & 1 == 1, "somebody was present");
    assert_eq!(required.is_ok(), rest[0] & 4 == 4, "and was verified");
    assert_eq!(any.counter.to_be_bytes(), rest[1..5]);
    assert!(US.verify(&[8; 32], &KEY, &shown, Verification::Any).is_err(), "another challenge");
}

fn site() -> Vec<u8> {
    digest(&SHA256, SITE.as_bytes()).as_ref().to_vec()
}

/// Whether these are the words of a browser on our page, for our challenge.
fn says(said: &[u8], kind: &str) -> bool {
    // A member that is passed over may hold bytes that are no text.
    let Ok(Value::Object(said)) = serde_json::from_str(&String::from_utf8_lossy(said)) else { return false };
    let text = |name: &str| said.get(name).and_then(Value::as_str);
    text("type") == Some(kind)
        && text("challenge") == Some(URL_SAFE_NO_PAD.encode(CHALLENGE).as_str())
        && text("origin") == Some(PAGE)
        && said.get("crossOrigin").is_none_or(|across| across == &Value::Bool(false))
        && said.get("topOrigin").is_none_or(Value::is_null)
}
