//! What the authenticator says of itself and of the person, and signs (WebAuthn level 3, 6.1).

use super::Refusal;
use super::cbor;
use super::key::CredentialKey;

const IS_PRESENT: u8 = 1;
const IS_VERIFIED: u8 = 1 << 2;
const MAY_BE_BACKED_UP: u8 = 1 << 3;
const IS_BACKED_UP: u8 = 1 << 4;
const HAS_CREDENTIAL: u8 = 1 << 6;
const HAS_EXTENSIONS: u8 = 1 << 7;

/// Longest id of a credential (WebAuthn level 3, 7.1 step 25).
const LONGEST_ID: usize = 1023;

#[derive(Clone, Debug)]
pub struct AuthenticatorData<'a> {
    pub relying_party: &'a [u8; 32],
    flags: u8,
    pub counter: u32,
    pub credential: Option<Credential<'a>>,
}

/// The part that is there when a credential is made.
#[derive(Clone, Debug)]
pub struct Credential<'a> {
    /// Model of the authenticator; zeros when it does not say.
    pub model: [u8; 16],
    pub id: &'a [u8],
    pub key: CredentialKey,
}

impl<'a> AuthenticatorData<'a> {
    /// Reads all of it: bytes that belong to nothing are refused.
    pub fn parse(input: &'a [u8]) -> Result<Self, Refusal> {
        let (relying_party, rest) = input.split_first_chunk::<32>().ok_or(Refusal::Malformed)?;
        let (flags, rest) = rest.split_first().ok_or(Refusal::Malformed)?;
        let (counter, mut rest) = rest.split_first_chunk::<4>().ok_or(Refusal::Malformed)?;
        let flags = *flags;
        // What is backed up must be able to be.
        if flags & IS_BACKED_UP != 0 && flags & MAY_BE_BACKED_UP == 0 {
            return Err(Refusal::Malformed);
        }
        let mut credential = None;
        if flags & HAS_CREDENTIAL != 0 {
            let (read, after) = Credential::parse(rest)?;
            (credential, rest) = (Some(read), after);
        }
        if flags & HAS_EXTENSIONS != 0 {
            let (extensions, after) = cbor::read(rest).ok_or(Refusal::Malformed)?;
            if !matches!(extensions, cbor::Value::Map(_)) {
                return Err(Refusal::Malformed);
            }
            rest = after;
        }
        if !rest.is_empty() {
            return Err(Refusal::Malformed);
        }
        Ok(Self { relying_party, flags, counter: u32::from_be_bytes(*counter), credential })
    }

    /// Whether somebody touched the authenticator.
    pub const fn is_present(&self) -> bool {
        self.flags & IS_PRESENT != 0
    }

    /// Whether it made sure who: by a finger, a face or a PIN.
    pub const fn is_verified(&self) -> bool {
        self.flags & IS_VERIFIED != 0
    }

    /// Whether the credential is kept in more places than this authenticator.
    pub const fn is_backed_up(&self) -> bool {
        self.flags & IS_BACKED_UP != 0
    }
}

impl<'a> Credential<'a> {
    fn parse(input: &'a [u8]) -> Result<(Self, &'a [u8]), Refusal> {
        let (model, rest) = input.split_first_chunk::<16>().ok_or(Refusal::Malformed)?;
        let (length, rest) = rest.split_first_chunk::<2>().ok_or(Refusal::Malformed)?;
        let length = usize::from(u16::from_be_bytes(*length));
        if length == 0 || length > LONGEST_ID {
            return Err(Refusal::Malformed);
        }
        let (id, rest) = rest.split_at_checked(length).ok_or(Refusal::Malformed)?;
        let (_, after) = cbor::read(rest).ok_or(Refusal::Malformed)?;
        let key = rest.get(..rest.len() - after.len()).ok_or(Refusal::Malformed)?;
        Ok((Self { model: *model, id, key: CredentialKey::parse(key)? }, after))
    }
}
