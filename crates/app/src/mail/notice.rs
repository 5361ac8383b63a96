//! What somebody is told by mail because it happened to their account, wanted or not.

/// Something that the holder of an account must hear of, since a thief would not tell.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Notice {
    /// By its holder, who knew the old one or proved otherwise who they are.
    PasswordChanged,
    /// With a mailed link; every session has ended. `others` says whether there are other ways into the account, which
    /// may be somebody else's, and `second_factor` whether it asks for one.
    PasswordReset {
        others: bool,
        second_factor: bool,
    },
    MethodAdded(Method),
    /// The same, with the secret of a link that takes it away again.
    FactorAdded {
        method: Method,
        undo: Option<String>,
    },
    MethodRemoved(Method),
    /// To the present address, when another one is to take its place.
    EmailChangeBegun,
    /// To the old address and to the new one.
    EmailChanged,
    /// A refresh token came back that was used before, so its session was ended.
    RefreshTokenReused,
    RecoveryCodesMade,
    RecoveryCodeUsed,
    AccountDeleted,
}

/// A way to sign in, or a factor beside one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Method {
    Password,
    Passkey,
    /// Codes of an app (TOTP).
    AuthenticatorApp,
    /// A provider, by the name that people know it by.
    Provider(String),
}

#[cfg(test)]
impl Notice {
    /// One of each, for tests that look at all of them.
    pub(crate) fn each() -> Vec<Self> {
        let all = vec![
            Self::PasswordChanged,
            Self::PasswordReset { others: false, second_factor: false },
            Self::PasswordReset { others: true, second_factor: true },
            Self::FactorAdded { method: Method::AuthenticatorApp, undo: None },
            Self::FactorAdded { method: Method::Passkey, undo: Some(String::from("secret")) },
            Self::MethodAdded(Method::Password),
            Self::MethodAdded(Method::Passkey),
            Self::MethodRemoved(Method::AuthenticatorApp),
            Self::MethodRemoved(Method::Provider(String::from("Example & Sons"))),
            Self::EmailChangeBegun,
            Self::EmailChanged,
            Self::RefreshTokenReused,
            Self::RecoveryCodesMade,
            Self::RecoveryCodeUsed,
            Self::AccountDeleted,
        ];
        for notice in &all {
            // Whoever adds one is told by the compiler to add it above.
            match notice {
                Self::PasswordChanged
                | Self::PasswordReset { .. }
                | Self::MethodAdded(_)
                | Self::FactorAdded { .. }
                | Self::MethodRemoved(_) => {}
                Self::EmailChangeBegun | Self::EmailChanged | Self::RefreshTokenReused => {}
                Self::RecoveryCodesMade | Self::RecoveryCodeUsed | Self::AccountDeleted => {}
            }
        }
        all
    }
}
