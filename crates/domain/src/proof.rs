//! How somebody proved who they are: the `amr` of a token and of a session.

use std::fmt;

/// One way in which somebody proved who they are, with the value of `amr` that says so. `pwd`, `otp` and
/// `pop` are those of RFC 8176; `fed` and `rec` are ours, the register has none for them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Proof {
    /// A password, `pwd`.
    Password,
    /// A code of an authenticator app, `otp`.
    Totp,
    /// A key that a device holds (WebAuthn), `pop`.
    Passkey,
    /// A provider such as Google vouched, `fed`.
    Federated,
    /// One of the codes kept for the worst case, `rec`.
    RecoveryCode,
}

impl Proof {
    /// All proofs, in the order in which they are written.
    pub const ALL: [Self; 5] =
        [Self::Password, Self::Totp, Self::Passkey, Self::Federated, Self::RecoveryCode];

    /// The word used in tokens and in the database.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Password => "pwd",
            Self::Totp => "otp",
            Self::Passkey => "pop",
            Self::Federated => "fed",
            Self::RecoveryCode => "rec",
        }
    }

    /// The word that the API uses for it.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Password => "password",
            Self::Totp => "totp",
            Self::Passkey => "passkey",
            Self::Federated => "provider",
            Self::RecoveryCode => "recovery_code",
        }
    }

    /// The proof of that name; `None` when there is none.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|proof| proof.name() == name)
    }
}

/// The proofs that a session rests on (`amr`); empty for an anonymous one.
#[derive(Clone, Copy, Default, PartialEq, Eq, Hash)]
pub struct Proofs(u8);

impl Proofs {
    /// No proof: an anonymous session.
    pub const NONE: Self = Self(0);

    /// The same proofs and one more.
    #[must_use]
    pub const fn with(self, proof: Proof) -> Self {
        Self(self.0 | 1 << proof as u8)
    }

    /// The same proofs but one.
    #[must_use]
    pub const fn without(self, proof: Proof) -> Self {
        Self(self.0 & !(1 << proof as u8))
    }

    /// Whether the proof is among them.
    pub const fn has(self, proof: Proof) -> bool {
        self.0 & 1 << proof as u8 != 0
    }

    /// The proofs, in the order in which they are written.
    pub fn iter(self) -> impl Iterator<Item = Proof> {
        Proof::ALL.into_iter().filter(move |proof| self.has(*proof))
    }

    /// Whether it rests on more than one factor. A passkey is two by itself: we demand user verification
    /// wherever it is the only one.
    pub const fn second_factor(self) -> bool {
        self.has(Proof::Passkey) || self.has(Proof::Totp) || self.has(Proof::RecoveryCode)
    }

    /// Reads names separated by spaces. Unknown names prove nothing and are skipped.
    pub fn parse(names: &str) -> Self {
        names.split(' ').filter_map(Proof::parse).fold(Self::NONE, Self::with)
    }
}

impl fmt::Display for Proofs {
    /// Names separated by spaces: `pwd otp`.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, proof) in self.iter().enumerate() {
            if index > 0 {
                formatter.write_str(" ")?;
            }
            formatter.write_str(proof.name())?;
        }
        Ok(())
    }
}

impl fmt::Debug for Proofs {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_set().entries(self.iter()).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn proofs_read_back_and_unknown_words_prove_nothing() {
        let proofs = Proofs::NONE.with(Proof::Totp).with(Proof::Password);
        assert_eq!(proofs.to_string(), "pwd otp");
        assert_eq!(Proofs::parse("pwd otp admin"), proofs);
        assert_eq!(proofs.without(Proof::Totp).without(Proof::Passkey).to_string(), "pwd");
        assert_eq!(Proofs::parse(""), Proofs::NONE);
    }

    #[test]
    fn a_password_and_a_provider_are_one_factor() {
        assert!(!Proofs::parse("pwd fed").second_factor());
        for second in ["otp", "pop", "rec"] {
            assert!(Proofs::parse(second).second_factor(), "{second}");
        }
    }
}
