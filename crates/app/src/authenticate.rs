//! From a credential to a [`Caller`]: the one place where that happens, for every face of the API.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use domain::access::AccessClaims;
use domain::account::Roles;
use domain::refresh::Generation;
use domain::{AccountId, Error, Result, SessionId, Timestamp};
use store::{accounts, sessions};
use vault::{KeySet, Rejection, Secret};

use crate::App;
use crate::caller::{Caller, Credential, account_is_gone};
use crate::session_record::SessionRecord;

/// Tokens whose signature was checked. A check costs a hundred times what looking it up does.
pub(crate) struct VerifiedToken {
    claims: AccessClaims,
    confirmed: AtomicBool,
}

/// A cookie that was looked up.
#[derive(Clone)]
pub(crate) struct KnownCookie {
    caller: Caller,
    /// When the database is to be asked again.
    until: Timestamp,
}

/// How long a looked-up cookie is believed. Ends of sessions act at once all the same (revocations).
const COOKIE_BELIEVED: Duration = Duration::from_secs(60);
/// A session's last use is noted at most this often.
const TOUCHED_EVERY: Duration = Duration::from_secs(60 * 60);

impl App {
    /// Checks an access token.
    pub async fn authenticate_bearer(&self, token: &str) -> Result<Caller> {
        let now = self.now();
        let known = match self.tokens.get(token) {
            Some(known) => known,
            None => self.verify(token, now).await?,
        };
        let claims = &known.claims;
        if now >= claims.expires_at {
            return Err(Error::unauthenticated("token_expired", "this access token has expired; refresh it"));
        }
        self.require_not_ended(claims.session).await?;
        if !known.confirmed.load(Ordering::Acquire) {
            self.confirm(claims.account, claims.session, claims.generation, now).await?;
            known.confirmed.store(true, Ordering::Release);
        }
        Ok(Caller {
            account: claims.account,
            session: claims.session,
            credential: Credential::Bearer(claims.generation),
            roles: claims.roles,
            auth_time: claims.auth_time,
            ends_at: claims.expires_at,
            renewed_until: None,
            network: None,
        })
    }

    /// Refuses a session that has ended, here or elsewhere. A set that nobody has read for a while is read first: a node
    /// that was frozen finds requests waiting which came when it could hear nothing.
    async fn require_not_ended(&self, session: SessionId) -> Result<()> {
        if !self.revocations_are_current() {
            // On the heap, for it is rare and the others need no room for it.
            Box::pin(self.renew_revocations()).await?;
        }
        if self.revocations.contains(session) { Err(account_is_gone()) } else { Ok(()) }
    }

    async fn verify(&self, token: &str, now: Timestamp) -> Result<Arc<VerifiedToken>> {
        let settings = &self.settings;
        let mut keys = self.signing_keys.set();
        let check =
            |keys: &KeySet| vault::access::verify(keys, token, &settings.issuer, &settings.audience, now);
        let mut checked = check(&keys);
        // By a key that another node has begun to use since this one read them.
        if matches!(checked, Err(Rejection::UnknownHeader)) && self.read_signing_keys_for_token(now).await {
            keys = self.signing_keys.set();
            checked = check(&keys);
        }
        let claims = checked.map_err(|rejection| {
            tracing::debug!(?rejection, "an access token was refused");
            Error::unauthenticated("invalid_token", "this access token does not count")
        })?;
        let verified = Arc::new(VerifiedToken { claims, confirmed: AtomicBool::new(false) });
        self.tokens.insert(token.into(), verified.clone());
        if !Arc::ptr_eq(&keys, &self.signing_keys.set()) {
            // Its key may have gone meanwhile, with all that was remembered then.
            self.tokens.remove(token);
        }
        Ok(verified)
    }

    /// The first request with a token of the current generation shows that the refresh arrived: from now on
    /// its predecessor is reuse. Durable before the request is answered.
    async fn confirm(
        &self,
        account: AccountId,
        session: SessionId,
        generation: Generation,
        now: Timestamp,
    ) -> Result<()> {
        let present = self
            .store
            .write(async move |tx| {
                let Some(state) = sessions::lock(tx, account, session).await? else { return Ok(false) };
                let mut record = SessionRecord::decode(&state)?;
                if let Some(confirmed) = record.refresh.confirm(generation) {
                    record.refresh = confirmed;
                    let ends_at = confirmed.lifetime.ends_at();
                    sessions::update(tx, (account, session), &record.encode()?, now, ends_at).await?;
                }
                Ok(true)
            })
            .await?;
        if present { Ok(()) } else { Err(account_is_gone()) }
    }

    /// Looks the session's cookie up anew at its next use: what is known of it has changed.
    pub(crate) fn forget_cookies_of(&self, session: SessionId) {
        self.cookies.retain(|_, known| known.caller.session != session);
    }

    /// Looks a session cookie up.
    pub async fn authenticate_cookie(&self, value: &str) -> Result<Caller> {
        let secret = Secret::parse(value).ok_or_else(account_is_gone)?;
        let hash = *secret.digest().as_bytes();
        let now = self.now();
        let known = match self.cookies.get(&hash).filter(|known| now < known.until) {
            Some(known) => known,
            None => self.look_up_cookie(hash, now).await?,
        };
        self.require_not_ended(known.caller.session).await?;
        Ok(known.caller)
    }

    async fn look_up_cookie(&self, hash: [u8; 32], now: Timestamp) -> Result<KnownCookie> {
        let found = self
            .store
            .read(async move |db| {
                let Some((account, session)) = sessions::find_cookie(db, &hash).await? else {
                    return Ok(None);
                };
                let state = sessions::get(db, account, session).await?;
                let stored = accounts::get(db, account).await?;
                Ok(state.zip(stored).map(|(state, stored)| (session, state, stored)))
            })
            .await?;
        let (session, state, stored) = found.ok_or_else(account_is_gone)?;
        let record = SessionRecord::decode(&state)?;
        let lifetime = record.refresh.lifetime;
        if lifetime.expiry(now).is_some() {
            return Err(Error::unauthenticated("session_expired", "this session has expired; sign in again"));
        }
        let renewed_until = if now.since(lifetime.used_at) >= TOUCHED_EVERY {
            self.touch(stored.id, session, now).await?
        } else {
            None
        };
        let caller = Caller {
            account: stored.id,
            session,
            credential: Credential::Cookie,
            roles: Roles::parse(&stored.roles).within(record.proofs),
            auth_time: record.auth_time,
            ends_at: lifetime.ends_at(),
            renewed_until: None,
            network: None,
        };
        let known = KnownCookie { caller, until: now.plus(COOKIE_BELIEVED).min(lifetime.ends_at()) };
        self.cookies.insert(hash, known.clone());
        // Only the request that moved the end tells it.
        Ok(KnownCookie { caller: Caller { renewed_until, ..caller }, ..known })
    }

    /// Notes that the session was used, and tells when it ends now.
    async fn touch(
        &self,
        account: AccountId,
        session: SessionId,
        now: Timestamp,
    ) -> Result<Option<Timestamp>> {
        let ends_at = self
            .store
            .write(async move |tx| {
                if !accounts::touch(tx, account, now).await? {
                    return Ok(None);
                }
                let Some(state) = sessions::lock(tx, account, session).await? else { return Ok(None) };
                let mut record = SessionRecord::decode(&state)?;
                record.refresh.lifetime = record.refresh.lifetime.used(now);
                let ends_at = record.refresh.lifetime.ends_at();
                sessions::update(tx, (account, session), &record.encode()?, now, ends_at).await?;
                Ok(Some(ends_at))
            })
            .await?;
        Ok(ends_at)
    }

    /// The public half of the signing keys, for services that verify our tokens.
    pub fn jwks(&self) -> String {
        self.signing_keys.set().jwks()
    }
}
