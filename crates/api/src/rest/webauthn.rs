//! What travels between a browser and its server around a passkey. The names are the standard's (WebAuthn level 3), so
//! pages hand these objects to `PublicKeyCredential` as they are: `parseCreationOptionsFromJSON`,
//! `parseRequestOptionsFromJSON` and `toJSON`. Browsers add fields of their own, which are let pass.

use app::passkeys::{CreationOptions, CredentialHint, NewPasskey, RequestOptions, ShownPasskey};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::{Deserialize, Deserializer, Serialize, de};
use utoipa::ToSchema;

/// Algorithms that we read, the best first: ES256, Ed25519, RS256.
const ALGORITHMS: [i64; 3] = [-7, -8, -257];
const KIND: &str = "public-key";

/// Bytes as the standard writes them in JSON: base64url without padding.
#[derive(Debug, ToSchema)]
#[schema(value_type = String, example = "dGhlcmUgaXMgbm90aGluZyBoZXJl")]
pub struct Octets(Vec<u8>);

impl<'de> Deserialize<'de> for Octets {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        URL_SAFE_NO_PAD
            .decode(text)
            .map(Self)
            .map_err(|_| de::Error::custom("must be base64url without padding"))
    }
}

/// For `PublicKeyCredential.parseCreationOptionsFromJSON` and then `navigator.credentials.create`.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = PublicKeyCredentialCreationOptions)]
pub struct CreationOptionsBody {
    rp: RelyingPartyBody,
    user: UserBody,
    challenge: String,
    pub_key_cred_params: Vec<AlgorithmBody>,
    /// Milliseconds.
    #[schema(example = 300_000)]
    timeout: u64,
    exclude_credentials: Vec<CredentialHintBody>,
    authenticator_selection: SelectionBody,
    #[schema(example = "none")]
    attestation: &'static str,
}

#[derive(Debug, Serialize, ToSchema)]
#[schema(as = PublicKeyCredentialRpEntity)]
struct RelyingPartyBody {
    id: String,
    #[schema(example = "Fairweather")]
    name: &'static str,
}

#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = PublicKeyCredentialUserEntity)]
struct UserBody {
    id: String,
    name: String,
    display_name: String,
}

#[derive(Debug, Serialize, ToSchema)]
#[schema(as = PublicKeyCredentialParameters)]
struct AlgorithmBody {
    #[serde(rename = "type")]
    kind: &'static str,
    alg: i64,
}

/// A credential that will do, or that is there already.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = PublicKeyCredentialDescriptor)]
struct CredentialHintBody {
    #[serde(rename = "type")]
    kind: &'static str,
    id: String,
    transports: Vec<String>,
}

#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = AuthenticatorSelectionCriteria)]
struct SelectionBody {
    resident_key: &'static str,
    require_resident_key: bool,
    user_verification: &'static str,
}

/// For `PublicKeyCredential.parseRequestOptionsFromJSON` and then `navigator.credentials.get`.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = PublicKeyCredentialRequestOptions)]
pub struct RequestOptionsBody {
    challenge: String,
    /// Milliseconds.
    #[schema(example = 300_000)]
    timeout: u64,
    rp_id: String,
    /// Empty where any passkey for this site will do.
    allow_credentials: Vec<CredentialHintBody>,
    #[schema(example = "required")]
    user_verification: &'static str,
}

/// What `navigator.credentials.create` gave, by `toJSON()`.
#[derive(Debug, Deserialize, ToSchema)]
#[schema(as = RegistrationResponse)]
pub struct CreatedCredential {
    response: AttestationBody,
}

#[derive(Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = AuthenticatorAttestationResponse)]
struct AttestationBody {
    #[serde(rename = "clientDataJSON")]
    client_data_json: Octets,
    attestation_object: Octets,
    #[serde(default)]
    transports: Vec<String>,
}

/// What `navigator.credentials.get` gave, by `toJSON()`.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = AuthenticationResponse)]
pub struct ShownCredential {
    raw_id: Octets,
    response: AssertionBody,
}

#[derive(Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = AuthenticatorAssertionResponse)]
struct AssertionBody {
    #[serde(rename = "clientDataJSON")]
    client_data_json: Octets,
    authenticator_data: Octets,
    signature: Octets,
    #[serde(default)]
    user_handle: Option<Octets>,
}

impl From<CredentialHint> for CredentialHintBody {
    fn from(CredentialHint { id, transports }: CredentialHint) -> Self {
        Self { kind: KIND, id: URL_SAFE_NO_PAD.encode(id), transports }
    }
}

impl From<CreationOptions> for CreationOptionsBody {
    fn from(options: CreationOptions) -> Self {
        Self {
            rp: RelyingPartyBody { id: options.relying_party, name: "Fairweather" },
            user: UserBody {
                id: URL_SAFE_NO_PAD.encode(options.user_id),
                display_name: options.user_name.clone(),
                name: options.user_name,
            },
            challenge: options.challenge.to_string(),
            pub_key_cred_params: ALGORITHMS.map(|alg| AlgorithmBody { kind: KIND, alg }).into(),
            timeout: milliseconds(options.timeout),
            exclude_credentials: options.exclude.into_iter().map(CredentialHintBody::from).collect(),
            authenticator_selection: SelectionBody {
                resident_key: "required",
                require_resident_key: true,
                user_verification: "required",
            },
            attestation: "none",
        }
    }
}

impl From<RequestOptions> for RequestOptionsBody {
    fn from(options: RequestOptions) -> Self {
        Self {
            challenge: options.challenge.to_string(),
            timeout: milliseconds(options.timeout),
            rp_id: options.relying_party,
            allow_credentials: options.allow.into_iter().map(CredentialHintBody::from).collect(),
            user_verification: if options.verified { "required" } else { "preferred" },
        }
    }
}

impl From<CreatedCredential> for NewPasskey {
    fn from(CreatedCredential { response }: CreatedCredential) -> Self {
        Self {
            client_data: response.client_data_json.0,
            attestation: response.attestation_object.0,
            transports: response.transports,
        }
    }
}

impl From<ShownCredential> for ShownPasskey {
    fn from(ShownCredential { raw_id, response }: ShownCredential) -> Self {
        Self {
            credential: raw_id.0,
            client_data: response.client_data_json.0,
            authenticator_data: response.authenticator_data.0,
            signature: response.signature.0,
            user_handle: response.user_handle.map(|handle| handle.0),
        }
    }
}

fn milliseconds(duration: std::time::Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}
