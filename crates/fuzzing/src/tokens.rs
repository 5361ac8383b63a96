//! Credentials, and codes that people type.

use std::sync::LazyLock;

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use domain::access::{AccessClaims, AccessSubject};
use domain::account::Roles;
use domain::refresh::Generation;
use domain::session::Proofs;
use domain::{AccountId, SessionId};
use serde_json::Value;
use uuid::Uuid;
use vault::api_key::ApiKey;
use vault::pkce::Challenge;
use vault::recovery_code::RecoveryCode;
use vault::refresh_token::{RefreshToken, SessionSalt};
use vault::secret::RegistrationCode;
use vault::signing::KeyState;
use vault::totp::{TotpCode, TotpSecret};
use vault::{KeySet, RefreshKey, Secret, ServerKey, SigningKey, access};

use crate::NOW;

const ISSUER: &str = "https://here.example";
const AUDIENCE: &str = "fairweather";

/// A signing key of ours: as the server holds it, and to sign whatever we like.
struct Signer {
    keys: KeySet,
    pair: EcdsaKeyPair,
    header: String,
}

static SIGNER: LazyLock<Signer> = LazyLock::new(|| {
    let (key, document) = SigningKey::generate().expect("a key");
    let pair = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &document).expect("a key");
    let keys = KeySet::new(vec![(KeyState::Active, key)]).expect("a set");
    let subject = AccessSubject {
        account: AccountId::from_uuid(Uuid::nil()),
        session: SessionId::from_uuid(Uuid::nil()),
        generation: Generation::FIRST,
        roles: Roles::parse("user"),
        auth_time: NOW,
        proofs: Proofs::NONE,
    };
    let claims = AccessClaims::issue(subject, ISSUER, AUDIENCE, &crate::random(), NOW);
    let token = access::issue(&keys, &claims).expect("a token");
    let header = token.split('.').next().unwrap_or_default().to_owned();
    Signer { keys, pair, header }
});

/// Claims: as a token, and signed by a key of ours.
pub fn access_token(input: &[u8]) {
    let verify = |token: &str| access::verify(&SIGNER.keys, token, ISSUER, AUDIENCE, NOW);
    if let Some(token) = crate::text(input) {
        assert!(verify(token).is_err() && verify(&format!("{}.{token}", SIGNER.header)).is_err());
    }
    let message = format!("{}.{}", SIGNER.header, URL_SAFE_NO_PAD.encode(input));
    let signature = SIGNER.pair.sign(&SystemRandom::new(), message.as_bytes()).expect("signs");
    let token = format!("{message}.{}", URL_SAFE_NO_PAD.encode(signature.as_ref()));
    let Ok(claims) = verify(&token) else { return };
    let Ok(said) = serde_json::from_slice::<Value>(input) else { return };
    assert!(said.is_object(), "claims are an object");
    assert_eq!((&said["iss"], &said["aud"]), (&Value::from(ISSUER), &Value::from(AUDIENCE)));
    assert_eq!(said["sub"].as_str().and_then(|id| id.parse().ok()), Some(claims.account.uuid()));
    assert!(claims.expires_at.plus(access::LEEWAY) > NOW);
    assert!(claims.expires_at <= claims.issued_at.plus(domain::access::ACCESS_LIFETIME));
    assert!(access::verify(&SIGNER.keys, &token, ISSUER, "another", NOW).is_err());
}

static REFRESH: LazyLock<RefreshKey> =
    LazyLock::new(|| RefreshKey::new(ServerKey::generate(&crate::random())));

/// A refresh token.
pub fn refresh_token(input: &[u8]) {
    let Some(text) = crate::text(input) else { return };
    let Some(token) = RefreshToken::parse(text) else { return };
    let salt = SessionSalt::from_bytes([3; 32]);
    assert_eq!(REFRESH.verify(&token, &salt).ok(), Some(false), "nobody guesses a MAC");
    let ours = REFRESH.mint(token.account(), token.session(), token.generation(), &salt).expect("a token");
    assert_eq!(ours.len(), text.len());
    // What is claimed has one spelling.
    let shared = ours.bytes().zip(text.bytes()).take_while(|(left, right)| left == right).count();
    assert!(shared >= 4 + 40 / 3 * 4, "{shared}");
}

/// Secrets that were handed out once: tickets, cookies, links, API keys, PKCE.
pub fn opaque_token(input: &[u8]) {
    let Some(text) = crate::text(input) else { return };
    if let Some(secret) = Secret::parse(text) {
        assert_eq!(*secret.to_text(), text, "one spelling");
        assert!(Secret::parse(text).is_some_and(|again| again.digest().matches(&secret.digest())));
    }
    if let Some(key) = ApiKey::parse(text) {
        assert!(ApiKey::is_meant(text));
        assert_eq!(*key.to_text(), text);
        assert!(text.starts_with(&key.hint()) && key.hint().len() == 12);
    }
    if let Some(challenge) = Challenge::parse(text) {
        assert_eq!(challenge.to_string(), text);
        assert!(!challenge.matches(text));
    }
    assert_eq!(Challenge::of(text).matches(text), is_verifier(text));
}

/// RFC 7636, section 4.1.
fn is_verifier(text: &str) -> bool {
    (43..=128).contains(&text.len())
        && text.bytes().all(|b| b.is_ascii_alphanumeric() || b"-._~".contains(&b))
}

/// Codes that people type: from a mail, a list on paper, an authenticator app.
pub fn typed_code(input: &[u8]) {
    let Some(typed) = crate::text(input) else { return };
    let account = AccountId::from_uuid(Uuid::nil());
    if let Some(code) = RecoveryCode::parse(typed) {
        let again = RecoveryCode::parse(&code.to_text()).expect("reads back");
        assert!(again.digest(account).matches(&code.digest(account)));
        assert_eq!(*again.to_text(), *code.to_text());
    }
    if let Some(code) = RegistrationCode::parse(typed) {
        let again = RegistrationCode::parse(&code.to_text()).expect("reads back");
        assert_eq!(*again.to_text(), *code.to_text());
    }
    if let Some(code) = TotpCode::parse(typed) {
        let digits: String = typed.chars().filter(char::is_ascii_digit).collect();
        assert_eq!(digits.len(), 6);
        let secret = TotpSecret::from_bytes(&[1; 20]).expect("a secret");
        let plain = TotpCode::parse(&digits).expect("the digits alone");
        assert_eq!(secret.step_of(&code, NOW), secret.step_of(&plain, NOW));
    }
}
