//! What Facebook tells us: somebody took our app out of their account, or wants to be forgotten.

use domain::{Error, Result};
use store::identities;
use uuid::Uuid;
use vault::app_secret::SignedRequest;
use vault::secret::equal;

use super::arrival::find_and_lock;
use super::{Protocol, Provider};
use crate::App;
use crate::audit::{Actor, Entry, Event};
use crate::identities::ways_in;
use crate::mail::{self, Notice};

/// The answer to a request for deletion.
pub struct Deletion {
    /// Where its state can be seen.
    pub url: String,
    pub confirmation_code: String,
}

/// What somebody did at Facebook.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Told {
    AppRemoved,
    DeletionAsked,
}

const CONFIRMATION: &str = "facebook deletion";

impl App {
    /// Lets the identity lead nowhere; the account goes with it when there is no other way in. A confirmed address is one:
    /// a mailed reset leads in, and nobody has asked for a removal.
    pub async fn facebook_deauthorize(&self, provider: &str, signed_request: &str) -> Result<()> {
        let provider = self.providers.get(provider)?;
        self.forget_facebook_user(provider, signed_request, Told::AppRemoved).await
    }

    /// Lets the identity lead nowhere, removes the account unless its owner comes in another way, and tells where it can be
    /// seen that it was done. Somebody who is not known here is told no less.
    pub async fn facebook_deletion(&self, provider: &str, signed_request: &str) -> Result<Deletion> {
        let provider = self.providers.get(provider)?;
        self.forget_facebook_user(provider, signed_request, Told::DeletionAsked).await?;
        let id = self.random.uuid(self.now());
        let confirmation_code = format!("{}{}", id.simple(), self.confirmation(id));
        let public = &self.settings.public_url;
        let url = format!("{public}/v1/auth/oauth/{}/deletion/{confirmation_code}", provider.settings.name);
        Ok(Deletion { url, confirmation_code })
    }

    /// Whether we gave this code for a deletion. It is done before the code is given, so there is no other state.
    pub fn is_deleted(&self, provider: &str, confirmation_code: &str) -> Result<()> {
        let Protocol::Facebook { .. } = self.providers.get(provider)?.protocol else {
            return Err(Error::NotFound);
        };
        let known = confirmation_code.split_at_checked(32).is_some_and(|(id, tag)| {
            Uuid::try_parse(id).is_ok_and(|id| equal(self.confirmation(id).as_bytes(), tag.as_bytes()))
        });
        if known { Ok(()) } else { Err(Error::NotFound) }
    }

    fn confirmation(&self, id: Uuid) -> String {
        let tag = self.index.shared_tag(CONFIRMATION, id.as_bytes());
        tag.iter().map(|byte| format!("{byte:02x}")).collect()
    }

    async fn forget_facebook_user(
        &self,
        provider: &Provider,
        signed_request: &str,
        told: Told,
    ) -> Result<()> {
        let Protocol::Facebook { secret, .. } = &provider.protocol else { return Err(Error::NotFound) };
        let now = self.now();
        let SignedRequest { user, issued_at } = secret.read(signed_request, now).ok_or_else(|| {
            Error::forbidden("invalid_signed_request", "this is not signed by Facebook for this app")
        })?;
        let tag = self.index.identity(&provider.settings.issuer, &user);
        let app = self.clone();
        let (removed, ended) = self
            .store
            .write(async move |tx| {
                let Some((stored, id)) = find_and_lock(tx, &tag).await? else {
                    return Ok((None, Vec::new()));
                };
                // Facebook tells again when it was not answered, and others may have kept what it said: whoever has come
                // back since then has nothing to do with it. It speaks of whole seconds.
                let identities = identities::of_account(tx, stored.id).await?;
                let came = identities.iter().find(|identity| identity.id == id).map(|known| known.created_at);
                if came.is_none_or(|came| issued_at.seconds() < came.seconds()) {
                    return Ok((None, Vec::new()));
                }
                let is_reset_by_mail = told == Told::AppRemoved && stored.email.is_some();
                if ways_in(&stored) <= 1 && !is_reset_by_mail {
                    // Signed by Facebook in the name of the person that it knows, who came in no other way.
                    let entry = Entry::of(stored.id, Event::AccountDeleted, now)
                        .actor(Actor::Server)
                        .word("facebook");
                    let notice = app.notice_to(&stored, &Notice::AccountDeleted)?;
                    let ended = app.delete_account(tx, stored.id, now, Some(entry)).await?;
                    mail::queue(tx, &notice).await?;
                    return Ok((Some(stored.id), ended));
                }
                Ok((None, app.remove_identity(tx, &stored, id, (None, Actor::Server.into()), now).await?))
            })
            .await?;
        if let Some(account) = removed {
            self.data_keys.forget(account);
            self.favourite_pages.forget(account);
        }
        self.revoke(ended, now);
        Ok(())
    }
}
