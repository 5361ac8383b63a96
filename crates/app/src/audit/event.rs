//! What can happen, as the audit log names it.

/// What happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Event {
    /// An account got its first way in; the word says which.
    Registered,
    /// A session began; the item is the session.
    SignedIn,
    /// A password was wrong, after the tries that are free.
    SignInFailed,
    /// After a right password, a second factor was wrong.
    SecondFactorFailed,
    /// Whoever has a session proved again who they are; the item is the session, the word the proof.
    SteppedUp,
    /// They failed to.
    StepUpFailed,
    /// The item is the session, the word says why.
    SessionEnded,
    /// A refresh token came back that its holder had moved on from; the item is the session.
    RefreshReuse,
    /// The count of a passkey had not risen, so two authenticators may hold it; the item is the passkey.
    PasskeyCopied,
    PasswordChanged,
    PasswordReset,
    EmailChangeAsked,
    EmailChanged,
    /// The word says which kind.
    FactorAdded,
    FactorRemoved,
    RecoveryCodesMade,
    RecoveryCodeUsed,
    /// The word is the provider's name.
    IdentityLinked,
    IdentityUnlinked,
    /// The word is the role.
    RoleGranted,
    RoleRevoked,
    /// An API key; the item is its id.
    KeyCreated,
    KeyRevoked,
    /// The item is the webhook.
    WebhookCreated,
    WebhookChanged,
    WebhookSecretRotated,
    /// It failed for too long.
    WebhookDisabled,
    WebhookRemoved,
    /// The item is the delivery.
    WebhookReplayed,
    ExportMade,
    /// Favourites of an anonymous account were taken over.
    AccountAdopted,
    AccountDeleted,
    SigningKeyRotated,
    KeyRingRotated,
}

impl Event {
    pub const ALL: [Self; 34] = [
        Self::Registered,
        Self::SignedIn,
        Self::SignInFailed,
        Self::SecondFactorFailed,
        Self::SteppedUp,
        Self::StepUpFailed,
        Self::SessionEnded,
        Self::RefreshReuse,
        Self::PasskeyCopied,
        Self::PasswordChanged,
        Self::PasswordReset,
        Self::EmailChangeAsked,
        Self::EmailChanged,
        Self::FactorAdded,
        Self::FactorRemoved,
        Self::RecoveryCodesMade,
        Self::RecoveryCodeUsed,
        Self::IdentityLinked,
        Self::IdentityUnlinked,
        Self::RoleGranted,
        Self::RoleRevoked,
        Self::KeyCreated,
        Self::KeyRevoked,
        Self::WebhookCreated,
        Self::WebhookChanged,
        Self::WebhookSecretRotated,
        Self::WebhookDisabled,
        Self::WebhookRemoved,
        Self::WebhookReplayed,
        Self::ExportMade,
        Self::AccountAdopted,
        Self::AccountDeleted,
        Self::SigningKeyRotated,
        Self::KeyRingRotated,
    ];

    /// The word used in the database, on the command line and in the API.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Registered => "registered",
            Self::SignedIn => "signed_in",
            Self::SignInFailed => "sign_in_failed",
            Self::SecondFactorFailed => "second_factor_failed",
            Self::SteppedUp => "stepped_up",
            Self::StepUpFailed => "step_up_failed",
            Self::SessionEnded => "session_ended",
            Self::RefreshReuse => "refresh_reuse",
            Self::PasskeyCopied => "passkey_copied",
            Self::PasswordChanged => "password_changed",
            Self::PasswordReset => "password_reset",
            Self::EmailChangeAsked => "email_change_asked",
            Self::EmailChanged => "email_changed",
            Self::FactorAdded => "factor_added",
            Self::FactorRemoved => "factor_removed",
            Self::RecoveryCodesMade => "recovery_codes_made",
            Self::RecoveryCodeUsed => "recovery_code_used",
            Self::IdentityLinked => "identity_linked",
            Self::IdentityUnlinked => "identity_unlinked",
            Self::RoleGranted => "role_granted",
            Self::RoleRevoked => "role_revoked",
            Self::KeyCreated => "key_created",
            Self::KeyRevoked => "key_revoked",
            Self::WebhookCreated => "webhook_created",
            Self::WebhookChanged => "webhook_changed",
            Self::WebhookSecretRotated => "webhook_secret_rotated",
            Self::WebhookDisabled => "webhook_disabled",
            Self::WebhookRemoved => "webhook_removed",
            Self::WebhookReplayed => "webhook_replayed",
            Self::ExportMade => "export_made",
            Self::AccountAdopted => "account_adopted",
            Self::AccountDeleted => "account_deleted",
            Self::SigningKeyRotated => "signing_key_rotated",
            Self::KeyRingRotated => "key_ring_rotated",
        }
    }

    /// The event of that name; `None` when there is none.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|event| event.name() == name)
    }

    /// Whether people cause it at will, without a fresh proof and without mail: bounded for each account.
    pub(super) const fn is_frequent(self) -> bool {
        matches!(self, Self::SignedIn | Self::SteppedUp | Self::SessionEnded) || self.is_failure()
    }

    /// Whether somebody showed something wrong, who need not be the account's holder.
    pub(super) const fn is_failure(self) -> bool {
        matches!(self, Self::SignInFailed | Self::SecondFactorFailed | Self::StepUpFailed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn events_read_back_by_their_names() {
        for event in Event::ALL {
            assert_eq!(Event::parse(event.name()), Some(event));
        }
        assert_eq!(Event::parse("SIGNED_IN"), None);
    }
}
