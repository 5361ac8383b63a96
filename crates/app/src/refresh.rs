//! Staying signed in, and ending it.

use domain::account::Roles;
use domain::refresh::{Outcome, Reason};
use domain::session::{Ending, SessionKind};
use domain::{Error, Result, SessionId};
use store::{accounts, sessions};
use vault::refresh_token::RefreshToken;

use crate::App;
use crate::audit::{Actor, Entry, Event};
use crate::caller::{Caller, Client};
use crate::mail::{self, Notice};
use crate::session_record::SessionRecord;
use crate::sign_in::{Begun, SignedIn, Tokens};

/// What presenting a refresh token led to, within its transaction: a revocation must be kept, so it cannot
/// travel as an error, which would roll it back.
enum Presented {
    Answer(Box<Begun>),
    Revoked(Vec<SessionId>),
    Refused,
}

impl App {
    /// Exchanges a refresh token for the next pair. See `domain::refresh` for the rules.
    pub async fn refresh(&self, client: &Client, token: &str) -> Result<Tokens> {
        let token = self.genuine(client, token).await?.ok_or_else(refused)?;
        let now = self.now();
        let (tag, network) = (self.client_tag(client), self.network_tag(client.network));
        let app = self.clone();
        let presented = self
            .store
            .write(async move |tx| {
                let (account, session) = (token.account(), token.session());
                // The account before its session, as everywhere.
                let Some(stored) = accounts::lock(tx, account).await? else {
                    return Ok(Presented::Refused);
                };
                let Some(state) = sessions::lock(tx, account, session).await? else {
                    return Ok(Presented::Refused);
                };
                let mut record = SessionRecord::decode(&state)?;
                match record.refresh.present(token.generation(), tag, now) {
                    Outcome::Rotate { state, .. } | Outcome::SameSuccessor { state } => {
                        record.refresh = state;
                        let ends_at = state.lifetime.ends_at();
                        sessions::update(tx, (account, session), &record.encode()?, now, ends_at).await?;
                        accounts::touch(tx, account, now).await?;
                        let roles = Roles::parse(&stored.roles);
                        Ok(Presented::Answer(Box::new(Begun {
                            account,
                            session,
                            roles,
                            record,
                            cookie: None,
                            displaced: Vec::new(),
                        })))
                    }
                    Outcome::Revoke(reason) => {
                        let why = ending(reason);
                        app.end_session_in(tx, (account, session), why, Actor::Server, now).await?;
                        let entry = Entry::of(account, Event::RefreshReuse, now).actor(Actor::Unknown);
                        let entry = entry.network(Some(network)).item(session.uuid());
                        app.audit(tx, &entry.word(why.name())).await?;
                        mail::queue(tx, &app.notice_to(&stored, &Notice::RefreshTokenReused)?).await?;
                        tracing::warn!(%session, ?reason, "a refresh token came back; its session was ended");
                        Ok(Presented::Revoked(vec![session]))
                    }
                    Outcome::Expired(_) => {
                        sessions::end(tx, account, session, now).await?;
                        Ok(Presented::Revoked(vec![session]))
                    }
                }
            })
            .await?;
        match presented {
            Presented::Answer(begun) => match self.signed_in(*begun, now)? {
                SignedIn::Tokens(tokens) => Ok(tokens),
                _ => Err(Error::internal("a refresh led to something else than tokens")),
            },
            Presented::Revoked(ended) => {
                self.revoke(ended, now);
                Err(refused())
            }
            Presented::Refused => Err(refused()),
        }
    }

    /// Ends the caller's session, or the one of the refresh token. An anonymous account has no other way in,
    /// so its session ends only together with the account, and only when `discard` says so.
    pub async fn log_out(
        &self,
        caller: Option<&Caller>,
        token: Option<(&Client, &str)>,
        discard: bool,
    ) -> Result<()> {
        let (account, session, network) = match (caller, token) {
            (Some(caller), _) => (caller.account, caller.session, caller.network),
            (None, Some((client, token))) => {
                let token = self.genuine(client, token).await?.ok_or_else(refused)?;
                (token.account(), token.session(), Some(client.network))
            }
            (None, None) => {
                return Err(Error::unauthenticated(
                    "credential_required",
                    "sign in, or give a refresh_token",
                ));
            }
        };
        let (app, now, by) = (self.clone(), self.now(), self.by(Actor::Owner, network));
        let ended = self
            .store
            .write(async move |tx| {
                let Some(stored) = accounts::lock(tx, account).await? else { return Ok(Vec::new()) };
                if !stored.is_anonymous() {
                    app.end_session_in(tx, (account, session), Ending::LoggedOut, by, now).await?;
                    return Ok(vec![session]);
                }
                if !discard {
                    return Err(discard_required().into());
                }
                app.delete_account(tx, account, now, None).await
            })
            .await?;
        self.data_keys.forget(account);
        self.favourite_pages.forget(account);
        self.revoke(ended, now);
        Ok(())
    }

    /// Ends the session of a refresh token. Unknown tokens are no error (RFC 7009): there is nothing to end. An
    /// anonymous account is signed out of by logging out, which asks first.
    pub async fn revoke_token(&self, client: &Client, token: &str) -> Result<()> {
        if let Some(token) = self.genuine(client, token).await? {
            let (account, session) = (token.account(), token.session());
            let (app, now, by) = (self.clone(), self.now(), self.by(Actor::Owner, Some(client.network)));
            self.store
                .write(async move |tx| {
                    match accounts::lock(tx, account).await? {
                        // Its only way in would be gone, and its favourites with it.
                        Some(stored) if stored.is_anonymous() => Err(discard_required().into()),
                        _ => app.end_session_in(tx, (account, session), Ending::LoggedOut, by, now).await,
                    }
                })
                .await?;
            self.revoke(vec![session], now);
        }
        Ok(())
    }

    /// The token, if we made it for a session that is there: an old one is genuine too.
    ///
    /// A plain read comes before any lock, and only what is genuine counts against the account that it names. Anybody
    /// can write down a token that names somebody else's account: that counts against who shows it.
    async fn genuine(&self, client: &Client, token: &str) -> Result<Option<RefreshToken>> {
        let Some(token) = RefreshToken::parse(token) else { return Ok(None) };
        let (account, session) = (token.account(), token.session());
        let state = self.store.read(async move |db| sessions::get(db, account, session).await).await?;
        let record = state.map(|state| SessionRecord::decode(&state)).transpose()?;
        // A session's salt never changes, so this holds under its lock as well.
        let is_genuine = match record.filter(|record| record.kind == SessionKind::Bearer) {
            Some(record) => self.refresh_key.verify(&token, &record.salt)?,
            None => false,
        };
        if !is_genuine {
            self.limit_secrets(client)?;
            return Ok(None);
        }
        // Who repeats one without end waits like everybody else.
        self.traffic.account.take(&account, 1, self.now())?;
        Ok(Some(token))
    }
}

const fn ending(reason: Reason) -> Ending {
    match reason {
        Reason::Reuse => Ending::Reuse,
        Reason::TooManyReplays => Ending::TooManyReplays,
    }
}

fn refused() -> Error {
    Error::unauthenticated("invalid_refresh_token", "this refresh token does not count; sign in again")
}

fn discard_required() -> Error {
    Error::conflict(
        "discard_required",
        "this account has no other way in, so signing out removes it with all its favourites; \
         repeat with \"discard\": true if that is meant",
    )
}
