//! The test vectors of WebAuthn level 3, section 16, and each check alone.

use proptest::prelude::*;

use super::*;

/// 16.2, a credential without attestation (ES256).
const CREATED: &str = "7b2274797065223a22776562617574686e2e637265617465222c226368616c6c656e6765223a22414d4d507434557878475453746e63647134313759447742466938767049612d7077386f4f755657345441222c226f726967696e223a2268747470733a2f2f6578616d706c652e6f7267222c2263726f73734f726967696e223a66616c73652c22657874726144617461223a22636c69656e74446174614a534f4e206d617920626520657874656e6465642077697468206164646974696f6e616c206669656c647320696e20746865206675747572652c207375636820617320746869733a20426b5165446a646354427258426941774a544c453551227d";
const CREATE_CHALLENGE: &str = "00c30fb78531c464d2b6771dab8d7b603c01162f2fa486bea70f283ae556e130";
const ATTESTATION: &str = "a363666d74646e6f6e656761747453746d74a068617574684461746158a4bfabc37432958b063360d3ad6461c9c4735ae7f8edd46592a5e0f01452b2e4b559000000008446ccb9ab1db374750b2367ff6f3a1f0020f91f391db4c9b2fde0ea70189cba3fb63f579ba6122b33ad94ff3ec330084be4a5010203262001215820afefa16f97ca9b2d23eb86ccb64098d20db90856062eb249c33a9b672f26df61225820930a56b87a2fca66334b03458abf879717c12cc68ed73290af2e2664796b9220";
const CREDENTIAL: &str = "f91f391db4c9b2fde0ea70189cba3fb63f579ba6122b33ad94ff3ec330084be4";
const GET_CHALLENGE: &str = "39c0e7521417ba54d43e8dc95174f423dee9bf3cd804ff6d65c857c9abf4d408";
const DATA: &str = "bfabc37432958b063360d3ad6461c9c4735ae7f8edd46592a5e0f01452b2e4b51900000000";
const GOT: &str = "7b2274797065223a22776562617574686e2e676574222c226368616c6c656e6765223a224f63446e55685158756c5455506f334a5558543049393770767a7a59425039745a63685879617630314167222c226f726967696e223a2268747470733a2f2f6578616d706c652e6f7267222c2263726f73734f726967696e223a66616c73657d";
const SIGNATURE: &str = "3046022100f50a4e2e4409249c4a853ba361282f09841df4dd4547a13a87780218deffcd380221008480ac0f0b93538174f575bf11a1dd5d78c6e486013f937295ea13653e331e87";

/// 16.11, Ed25519; the attestation with its certificate is left out, since nothing of it is looked at.
const ED25519_KEY: &str =
    "a401010327200621582044e06ddd331c36a8dc667bab52bcae63486c916aa5e339e6acebaa84934bf832";
const ED25519_CHALLENGE: &str = "895957e01c633a698348a2d8a31a54b7db27e8c1c43b2080d79ae2190267bfd2";
const ED25519_DATA: &str = "bfabc37432958b063360d3ad6461c9c4735ae7f8edd46592a5e0f01452b2e4b50100000000";
const ED25519_GOT: &str = "7b2274797065223a22776562617574686e2e676574222c226368616c6c656e6765223a2269566c583442786a4f6d6d44534b4c596f7870557439736e364d48454f7943413135726947514a6e763949222c226f726967696e223a2268747470733a2f2f6578616d706c652e6f7267222c2263726f73734f726967696e223a66616c73657d";
const ED25519_SIGNATURE: &str = "f5c59c7e46c34f6f8cc197101ddf9934fa2595f68eb1913a637e8419eb9ba4cfdfc48f85393bc0d40b011f0d6fecb097d6607525713223a0dc0d453993dae00b";

/// 16.4, on a frame of another page.
const FRAMED_CHALLENGE: &str = "876aa517ba83fdee65fcffdbca4c84eeae5d54f8041a1fc85c991e5bbb273137";
const FRAMED: &str = "7b2274797065223a22776562617574686e2e676574222c226368616c6c656e6765223a226832716c463771445f65356c5f505f62796b7945377135645650674547685f49584a6b655737736e4d5463222c226f726967696e223a2268747470733a2f2f6578616d706c652e6f7267222c2263726f73734f726967696e223a747275652c22657874726144617461223a22636c69656e74446174614a534f4e206d617920626520657874656e6465642077697468206164646974696f6e616c206669656c647320696e20746865206675747572652c207375636820617320746869733a2039327063545644304162792d713464746d6a36656667227d";

const FLAGS: usize = 32;

fn hex(text: &str) -> Vec<u8> {
    (0..text.len()).step_by(2).map(|at| u8::from_str_radix(&text[at..at + 2], 16).unwrap()).collect()
}

fn example() -> RelyingParty {
    RelyingParty::new("example.org", vec![String::from("https://example.org")])
}

fn key() -> CredentialKey {
    let attestation = hex(ATTESTATION);
    CredentialKey::parse(&attestation[attestation.len() - 77..]).unwrap()
}

fn assertion() -> Assertion {
    Assertion { client_data: hex(GOT), authenticator_data: hex(DATA), signature: hex(SIGNATURE) }
}

/// The attestation of the vector, whose person was not verified, as if they had been.
fn verified() -> Vec<u8> {
    let mut attestation = hex(ATTESTATION);
    let data = attestation.len() - 164;
    attestation[data + FLAGS] |= 1 << 2;
    attestation
}

#[test]
fn the_published_credential_is_read() {
    let made = example().read_new(&hex(CREATE_CHALLENGE), &hex(CREATED), &verified()).unwrap();
    assert_eq!((made.id, made.counter, made.is_backed_up), (hex(CREDENTIAL), 0, true));
    assert_eq!(made.key, key());
    assert_eq!(CredentialKey::parse(made.key.as_cose()).unwrap(), key());
}

#[test]
fn the_published_assertions_count() {
    let shown = example().verify(&hex(GET_CHALLENGE), &key(), &assertion(), Verification::Any).unwrap();
    assert_eq!(shown, Shown { counter: 0, is_backed_up: true });

    let key = CredentialKey::parse(&hex(ED25519_KEY)).unwrap();
    let assertion = Assertion {
        client_data: hex(ED25519_GOT),
        authenticator_data: hex(ED25519_DATA),
        signature: hex(ED25519_SIGNATURE),
    };
    example().verify(&hex(ED25519_CHALLENGE), &key, &assertion, Verification::Any).unwrap();
}

#[test]
fn each_check_of_a_new_credential_stands_alone() {
    let (challenge, said, attestation) = (hex(CREATE_CHALLENGE), hex(CREATED), verified());
    let refused = |party: RelyingParty, challenge: &[u8], said: &[u8], attestation: &[u8]| {
        party.read_new(challenge, said, attestation).unwrap_err()
    };
    assert_eq!(refused(example(), &challenge, &said, &hex(ATTESTATION)), Refusal::NotVerified);
    assert_eq!(refused(example(), &hex(GET_CHALLENGE), &said, &attestation), Refusal::WrongChallenge);
    assert_eq!(refused(example(), &hex(GET_CHALLENGE), &hex(GOT), &attestation), Refusal::WrongType);
    let elsewhere = RelyingParty::new("example.org", vec![String::from("https://example.com")]);
    assert_eq!(refused(elsewhere, &challenge, &said, &attestation), Refusal::WrongOrigin);
    let other = RelyingParty::new("example.com", vec![String::from("https://example.org")]);
    assert_eq!(refused(other, &challenge, &said, &attestation), Refusal::WrongRelyingParty);
    let longer = [&attestation[..], &[0]].concat();
    assert_eq!(refused(example(), &challenge, &said, &longer), Refusal::Malformed);
    let mut off_curve = attestation.clone();
    *off_curve.last_mut().unwrap() ^= 1;
    assert_eq!(refused(example(), &challenge, &said, &off_curve), Refusal::BadKey);
}

#[test]
fn each_check_of_an_assertion_stands_alone() {
    let challenge = hex(GET_CHALLENGE);
    let refused = |party: &RelyingParty, challenge: &[u8], assertion: &Assertion, verification| {
        party.verify(challenge, &key(), assertion, verification).unwrap_err()
    };
    let any = Verification::Any;
    assert_eq!(refused(&example(), &challenge, &assertion(), Verification::Required), Refusal::NotVerified);
    assert_eq!(refused(&example(), &hex(CREATE_CHALLENGE), &assertion(), any), Refusal::WrongChallenge);
    let created = Assertion { client_data: hex(CREATED), ..assertion() };
    assert_eq!(refused(&example(), &hex(CREATE_CHALLENGE), &created, any), Refusal::WrongType);
    let framed = Assertion { client_data: hex(FRAMED), ..assertion() };
    assert_eq!(refused(&example(), &hex(FRAMED_CHALLENGE), &framed, any), Refusal::CrossOrigin);
    let elsewhere = RelyingParty::new("example.org", vec![String::from("https://example.org.evil.example")]);
    assert_eq!(refused(&elsewhere, &challenge, &assertion(), any), Refusal::WrongOrigin);
    let other = RelyingParty::new("example.net", vec![String::from("https://example.org")]);
    assert_eq!(refused(&other, &challenge, &assertion(), any), Refusal::WrongRelyingParty);
    let mut absent = assertion();
    absent.authenticator_data[FLAGS] &= !1;
    assert_eq!(refused(&example(), &challenge, &absent, any), Refusal::NotPresent);
    // A counter that somebody raised on the way.
    let mut raised = assertion();
    raised.authenticator_data[FLAGS + 4] = 9;
    assert_eq!(refused(&example(), &challenge, &raised, any), Refusal::BadSignature);
    let mut forged = assertion();
    *forged.signature.last_mut().unwrap() ^= 1;
    assert_eq!(refused(&example(), &challenge, &forged, any), Refusal::BadSignature);
    let mut spaced = assertion();
    spaced.client_data.push(b' ');
    assert_eq!(refused(&example(), &challenge, &spaced, any), Refusal::BadSignature);
    let key = CredentialKey::parse(&hex(ED25519_KEY)).unwrap();
    assert_eq!(example().verify(&challenge, &key, &assertion(), any).unwrap_err(), Refusal::BadSignature);
}

#[test]
fn keys_that_nobody_asked_for_are_refused() {
    let with =
        |from: &str, to: &str| CredentialKey::parse(&hex(&to_hex(key().as_cose()).replacen(from, to, 1)));
    // ES384, another curve, a point that says it is for encryption, a kind without its parts.
    assert_eq!(with("0326", "0327").unwrap_err(), Refusal::UnknownAlgorithm);
    assert_eq!(with("2001", "2002").unwrap_err(), Refusal::UnknownAlgorithm);
    assert_eq!(with("0102", "0103").unwrap_err(), Refusal::UnknownAlgorithm);
    assert_eq!(
        CredentialKey::parse(&hex("a301020326 2001".replace(' ', "").as_str())).unwrap_err(),
        Refusal::BadKey
    );
    // An RSA key of 1024 bits.
    let short =
        [&hex("a401030339010020588 0".replace(' ', "").as_str())[..], &[0xC1; 128], &hex("2143010001")]
            .concat();
    assert_eq!(CredentialKey::parse(&short).unwrap_err(), Refusal::BadKey);
}

fn to_hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

proptest! {
    /// Whatever somebody sends is judged without a panic, and no change of one bit counts.
    #[test]
    fn a_changed_bit_never_counts(at in 0usize..1000, bit in 0u8..8) {
        let flip = |bytes: &mut Vec<u8>| {
            let at = at % bytes.len();
            bytes[at] ^= 1 << bit;
        };
        for part in 0..3 {
            let mut changed = assertion();
            flip(match part {
                0 => &mut changed.client_data,
                1 => &mut changed.authenticator_data,
                _ => &mut changed.signature,
            });
            prop_assert!(example().verify(&hex(GET_CHALLENGE), &key(), &changed, Verification::Any).is_err());
        }
    }

    #[test]
    fn any_bytes_are_judged(bytes in proptest::collection::vec(any::<u8>(), 0..400), at in 0usize..200) {
        let mut attestation = verified();
        let at = at % attestation.len();
        attestation.truncate(at);
        attestation.extend(&bytes);
        let _ = example().read_new(&hex(CREATE_CHALLENGE), &hex(CREATED), &attestation);
        let _ = example().read_new(&hex(CREATE_CHALLENGE), &bytes, &bytes);
        let _ = CredentialKey::parse(&bytes);
    }
}
