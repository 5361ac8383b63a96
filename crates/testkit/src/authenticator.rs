//! A passkey as a browser and its authenticator make it: a real key on P-256, and the JSON that
//! `PublicKeyCredential.toJSON()` gives. Everything that a server must check can be made wrong.

use aws_lc_rs::digest::{SHA256, digest};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair, KeyPair};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};

const IS_PRESENT: u8 = 1;
const IS_VERIFIED: u8 = 1 << 2;
const HAS_CREDENTIAL: u8 = 1 << 6;

/// One passkey, and the browser around it.
pub struct Authenticator {
    key: EcdsaKeyPair,
    pub credential: Vec<u8>,
    /// Whose it is, as the site said.
    pub user_handle: Option<String>,
    /// Signatures made so far; an authenticator that does not count says zero each time.
    pub counter: u32,
    pub counts: bool,
    /// Where the page lies.
    pub origin: String,
    /// What the browser hands to the authenticator; the site's own domain, unless somebody tampers.
    pub relying_party: Option<String>,
    /// Whether a finger or a PIN was asked for.
    pub verifies: bool,
    /// What the browser says that it does; the right thing, unless somebody tampers.
    pub kind: Option<&'static str>,
    /// Whether the page is a frame of another site.
    pub cross_origin: bool,
}

impl Authenticator {
    /// A fresh one in a browser that shows a page of this origin.
    ///
    /// # Panics
    /// When no key can be made.
    pub fn at(origin: &str) -> Self {
        let key = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_ASN1_SIGNING).expect("a key");
        let mut credential = vec![0; 16];
        aws_lc_rs::rand::fill(&mut credential).expect("randomness");
        Self {
            key,
            credential,
            user_handle: None,
            counter: 0,
            counts: true,
            origin: origin.to_owned(),
            relying_party: None,
            verifies: true,
            kind: None,
            cross_origin: false,
        }
    }

    /// `navigator.credentials.create()` with the options that the site gave.
    ///
    /// # Panics
    /// When the options lack what the standard asks for.
    pub fn create(&mut self, options: &Value) -> Value {
        let user = options["user"]["id"].as_str().expect("a user's id");
        self.user_handle = Some(user.to_owned());
        assert!(options["pubKeyCredParams"].as_array().expect("algorithms").iter().any(|p| p["alg"] == -7));
        let client_data = self.client_data("webauthn.create", options);
        let data = self.data(options["rp"]["id"].as_str().expect("a site"), IS_PRESENT | HAS_CREDENTIAL);
        let data = [&data[..], &[0; 16], &16u16.to_be_bytes(), &self.credential, &self.cose()].concat();
        // {"fmt": "none", "attStmt": {}, "authData": …}
        let attestation = [
            &[0xA3, 0x63][..],
            b"fmt",
            &[0x64],
            b"none",
            &[0x67],
            b"attStmt",
            &[0xA0, 0x68],
            b"authData",
            &[0x58, u8::try_from(data.len()).expect("short data")],
            &data,
        ]
        .concat();
        self.answer(json!({
            "clientDataJSON": text(&client_data),
            "attestationObject": text(&attestation),
            "authenticatorData": text(&data),
            "transports": ["internal", "hybrid"],
            "publicKeyAlgorithm": -7,
        }))
    }

    /// `navigator.credentials.get()` with the options that the site gave.
    ///
    /// # Panics
    /// When the options lack what the standard asks for.
    pub fn get(&mut self, options: &Value) -> Value {
        if self.counts {
            self.counter += 1;
        }
        let client_data = self.client_data("webauthn.get", options);
        let data = self.data(options["rpId"].as_str().expect("a site"), IS_PRESENT);
        let signed = [&data[..], digest(&SHA256, &client_data).as_ref()].concat();
        let signature = self.key.sign(&SystemRandom::new(), &signed).expect("a signature");
        self.answer(json!({
            "clientDataJSON": text(&client_data),
            "authenticatorData": text(&data),
            "signature": text(signature.as_ref()),
            "userHandle": self.user_handle,
        }))
    }

    fn answer(&self, response: Value) -> Value {
        let id = text(&self.credential);
        json!({
            "id": id,
            "rawId": id,
            "type": "public-key",
            "authenticatorAttachment": "platform",
            "clientExtensionResults": {},
            "response": response,
        })
    }

    fn client_data(&self, kind: &str, options: &Value) -> Vec<u8> {
        let said = json!({
            "type": self.kind.unwrap_or(kind),
            "challenge": options["challenge"],
            "origin": self.origin,
            "crossOrigin": self.cross_origin,
        });
        said.to_string().into_bytes()
    }

    fn data(&self, site: &str, flags: u8) -> Vec<u8> {
        let site = self.relying_party.as_deref().unwrap_or(site);
        let flags = if self.verifies { flags | IS_VERIFIED } else { flags };
        [digest(&SHA256, site.as_bytes()).as_ref(), &[flags], &self.counter.to_be_bytes()].concat()
    }

    fn cose(&self) -> Vec<u8> {
        let point = self.key.public_key().as_ref();
        let (x, y) = (&point[1..33], &point[33..65]);
        [&[0xA5, 0x01, 0x02, 0x03, 0x26, 0x20, 0x01, 0x21, 0x58, 0x20][..], x, &[0x22, 0x58, 0x20], y]
            .concat()
    }
}

fn text(bytes: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}
