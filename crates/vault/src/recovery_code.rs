//! Recovery codes: what is left when the phone is lost. Long enough that a plain hash is enough to keep.

use std::fmt;

use domain::{AccountId, Random};
use zeroize::Zeroizing;

use crate::crockford::{self, Symbols};
use crate::secret::SecretDigest;

/// 26 symbols of five bits: 130 bits.
const LENGTH: usize = 26;
const GROUP: usize = 5;

/// One code, good once.
#[derive(Clone)]
pub struct RecoveryCode(Symbols<LENGTH>);

impl RecoveryCode {
    /// A fresh one.
    pub fn generate(random: &Random) -> Self {
        Self(crockford::generate(random))
    }

    /// Reads what somebody typed: any case, spaces and dashes anywhere, O for 0, I and L for 1.
    pub fn parse(typed: &str) -> Option<Self> {
        crockford::parse(typed).map(Self)
    }

    /// As it is shown: `ABCDE-FGHJK-MNPQR-STVWX-YZ012-3`.
    pub fn to_text(&self) -> Zeroizing<String> {
        crockford::to_text(&self.0, GROUP)
    }

    /// What to store: good for this account alone.
    pub fn digest(&self, account: AccountId) -> SecretDigest {
        SecretDigest::of(&[b"fairweather recovery code", account.uuid().as_bytes(), &*self.0])
    }
}

impl fmt::Debug for RecoveryCode {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("RecoveryCode(…)")
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;
    use crate::testing::random;

    #[test]
    fn a_code_counts_however_it_is_typed_and_for_one_account() {
        let code = RecoveryCode::generate(&random(1));
        let [ann, bob] = [1, 2].map(|id| AccountId::from_uuid(Uuid::from_u128(id)));
        let text = code.to_text().to_string();
        assert_eq!(text.len(), 26 + 5, "{text}");
        for typed in [text.clone(), text.to_lowercase(), text.replace('-', " "), text.replace('-', "")] {
            let read = RecoveryCode::parse(&typed).unwrap();
            assert!(read.digest(ann).matches(&code.digest(ann)));
            assert!(!read.digest(bob).matches(&code.digest(ann)));
        }
        for bad in ["", &text[1..], &format!("{text}0"), &text.replace(text.chars().next().unwrap(), "U")] {
            assert!(RecoveryCode::parse(bad).is_none(), "{bad}");
        }
        assert_eq!(format!("{code:?}"), "RecoveryCode(…)");
    }
}
