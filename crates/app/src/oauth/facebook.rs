//! What Facebook tells us: somebody took our app out of their account, or wants to be forgotten.

use domain::{Error, Result};
use uuid::Uuid;
use vault::secret::equal;

use super::arrival::find_and_lock;
use super::{Protocol, Provider};
use crate::App;
use crate::audit::{Actor, Entry, Event};
use crate::identities::ways_in;

/// The answer to a request for deletion.
pub struct Deletion {
    /// Where its state can be seen.
    pub url: String,
    pub confirmation_code: String,
}

const CONFIRMATION: &str = "facebook deletion";

impl App {
    /// Lets the identity lead nowhere; the account goes with it when there is no other way in.
    pub async fn facebook_deauthorize(&self, provider: &str, signed_request: &str) -> Result<()> {
        let provider = self.providers.get(provider)?;
        self.forget_facebook_user(provider, signed_request).await
    }

    /// The same, and tells where it can be seen that it was done. Somebody who is not known here is told no less.
    pub async fn facebook_deletion(&self, provider: &str, signed_request: &str) -> Result<Deletion> {
        let provider = self.providers.get(provider)?;
        self.forget_facebook_user(provider, signed_request).await?;
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

    async fn forget_facebook_user(&self, provider: &Provider, signed_request: &str) -> Result<()> {
        let Protocol::Facebook { secret, .. } = &provider.protocol else { return Err(Error::NotFound) };
        let now = self.now();
        let user = secret.user_of(signed_request, now).ok_or_else(|| {
            Error::forbidden("invalid_signed_request", "this is not signed by Facebook for this app")
        })?;
        let tag = self.index.identity(&provider.settings.issuer, &user);
        let app = self.clone();
        let removed = self
            .store
            .write(async move |tx| {
                let Some((stored, id)) = find_and_lock(tx, &tag).await? else { return Ok(None) };
                if ways_in(&stored) <= 1 {
                    // Signed by Facebook in the name of the person that it knows, who came in no other way.
                    let entry = Entry::of(stored.id, Event::AccountDeleted, now).word("facebook");
                    return Ok(Some((stored.id, app.delete_account(tx, stored.id, now, Some(entry)).await?)));
                }
                app.remove_identity(tx, &stored, id, Actor::Owner, now).await?;
                Ok(None)
            })
            .await?;
        if let Some((account, ended)) = removed {
            self.data_keys.forget(account);
            self.favourite_pages.forget(account);
            self.revoke(ended, now);
        }
        Ok(())
    }
}
