//! Authenticator apps: a secret shared by a QR code, and six digits that change every half minute.

use std::time::Duration;

use domain::session::Proof;
use domain::throttle::{AccountThrottle, LONGEST_WAIT, Verdict};
use domain::{AccountId, Error, Invalid, Result, Timestamp};
use store::{Tx, throttles, totp};
use uuid::Uuid;
use vault::DataKey;
use vault::index::Tag;
use vault::totp::{TotpCode, TotpSecret};
use zeroize::Zeroizing;

use super::recovery_codes::{ShownCodes, keep_first, shown};
use super::{Factors, change_proofs};
use crate::App;
use crate::audit::{Entry, Event};
use crate::caller::Caller;
use crate::data_keys::context;
use crate::mail::{self, Method, Notice};
use crate::sessions::lock_caller;
use crate::throttles::{Count, KEPT, decode, encode};

/// How long a secret waits for its first code.
const PENDING_FOR: Duration = Duration::from_secs(10 * 60);
const TABLE: &str = "totp";

/// A secret that was handed out and waits for its first code.
pub struct PendingTotp {
    /// Base 32, for typing it into an app.
    pub secret: Zeroizing<String>,
    /// The same as a QR code says it.
    pub uri: Zeroizing<String>,
    pub expires_in: Duration,
}

impl App {
    /// Hands out a secret, which counts when a code of it was shown. One that counts already goes on until then.
    pub async fn begin_totp(&self, caller: &Caller) -> Result<PendingTotp> {
        self.require_factor_step_up(caller).await?;
        self.limit_mutations(caller.account, 1)?;
        let (account, session, now) = (caller.account, caller.session, self.now());
        let email = self.me(caller).await?.email;
        let key = self.data_keys.get(account).await?;
        let secret = TotpSecret::generate(&self.random);
        let sealed = key.seal(&place(account, "pending"), secret.as_bytes(), &self.random)?;
        self.store
            .write(async move |tx| {
                let stored = lock_caller(tx, account, session).await?;
                if stored.is_anonymous() {
                    let detail = "a second factor needs a first one: register, or add a passkey";
                    return Err(Error::conflict("anonymous_account", detail).into());
                }
                totp::offer(tx, account, &sealed, now.plus(PENDING_FOR)).await
            })
            .await?;
        let text = secret.to_base32();
        let uri = uri(&text, email.as_deref().unwrap_or("account"));
        Ok(PendingTotp { secret: text, uri, expires_in: PENDING_FOR })
    }

    /// Lets the pending secret count from now on. An account without recovery codes gets some. With the first factor
    /// other sessions end: somebody may have come in before it was needed.
    pub async fn confirm_totp(&self, caller: &Caller, code: &str) -> Result<Option<ShownCodes>> {
        let code = TotpCode::parse(code).ok_or_else(not_six_digits)?;
        self.limit_mutations(caller.account, 1)?;
        let (account, session, now) = (caller.account, caller.session, self.now());
        let by = self.owner(caller);
        let key = self.data_keys.get(account).await?;
        let codes = self.draw_recovery_codes();
        let first = codes.clone();
        let app = self.clone();
        let confirmed = self
            .store
            .write(async move |tx| {
                let stored = lock_caller(tx, account, session).await?;
                let offered = totp::get(tx, account).await?.filter(|offered| now < offered.pending_until);
                let Some(pending) = offered.and_then(|offered| offered.pending) else {
                    let detail = "no authenticator app is being set up; begin again";
                    return Err(Error::conflict("nothing_pending", detail).into());
                };
                let secret = open(&key, account, "pending", &pending)?;
                let tag = app.code_tag("totp-first", account);
                app.require_code_try(tx, &tag, now).await?;
                let Some(step) = secret.step_of(&code, now) else {
                    app.note_wrong_code(tx, &tag, now).await?;
                    return Ok(None);
                };
                throttles::delete(tx, &tag).await?;
                throttles::delete(tx, &app.code_tag("totp", account)).await?;
                let sealed = key.seal(&place(account, "sealed"), secret.as_bytes(), &app.random)?;
                let before = Factors::of(tx, account).await?;
                totp::confirm(tx, account, &sealed, step, now).await?;
                let are_new = keep_first(tx, account, &first).await?;
                change_proofs(tx, account, session, |proofs| proofs.with(Proof::Totp), now).await?;
                let entry = Entry::of(account, Event::FactorAdded, now).actor(by);
                app.audit(tx, &entry.word(Proof::Totp.word())).await?;
                let added = (Method::AuthenticatorApp, by);
                let ended = app.factor_added(tx, &stored, (session, &before), added, now).await?;
                Ok(Some((are_new, ended)))
            })
            .await?;
        let (are_new, ended) =
            confirmed.ok_or_else(|| Invalid::new("/code", "wrong", "this is not the present code"))?;
        self.forget_cookies_of(session);
        self.revoke(ended, now);
        Ok(are_new.then(|| shown(&codes)))
    }

    /// Lets codes of the app count no more. Other sessions end.
    pub async fn remove_totp(&self, caller: &Caller) -> Result<()> {
        self.require_factor_step_up(caller).await?;
        self.limit_mutations(caller.account, 1)?;
        let (account, session, now) = (caller.account, caller.session, self.now());
        let (tag, by) = (self.code_tag("totp", account), self.owner(caller));
        let app = self.clone();
        let ended = self
            .store
            .write(async move |tx| {
                let stored = lock_caller(tx, account, session).await?;
                if Factors::of(tx, account).await?.totp.is_none() {
                    return Err(Error::NotFound.into());
                }
                totp::delete(tx, account).await?;
                throttles::delete(tx, &tag).await?;
                let notice = Notice::MethodRemoved(Method::AuthenticatorApp);
                mail::queue(tx, &app.notice_to(&stored, &notice)?).await?;
                let entry = Entry::of(account, Event::FactorRemoved, now).actor(by);
                app.audit(tx, &entry.word(Proof::Totp.word())).await?;
                app.factor_removed(tx, &stored, (session, by), now).await
            })
            .await?;
        self.forget_cookies_of(session);
        self.revoke(ended, now);
        Ok(())
    }

    /// Takes a code of a locked account's app, once over all nodes; `false` when it is wrong or was taken. Wrong ones
    /// slow the next down, and no new sign-in starts the count anew.
    pub(crate) async fn take_code(
        &self,
        tx: &mut Tx,
        account: AccountId,
        key: &DataKey,
        code: &TotpCode,
        now: Timestamp,
    ) -> store::Result<bool> {
        let Some(sealed) = totp::get(tx, account).await?.and_then(|stored| stored.sealed) else {
            return Ok(false);
        };
        let tag = self.code_tag("totp", account);
        self.require_code_try(tx, &tag, now).await?;
        if let Some(step) = open(key, account, "sealed", &sealed)?.step_of(code, now)
            && totp::take(tx, account, step).await?
        {
            throttles::delete(tx, &tag).await?;
            return Ok(true);
        }
        self.note_wrong_code(tx, &tag, now).await?;
        Ok(false)
    }

    fn code_tag(&self, kind: &str, account: AccountId) -> Tag {
        self.index.throttle_tag(kind, account.uuid().as_bytes())
    }

    /// Refuses a try that comes too early after wrong ones. The account is locked, so tries come one by one.
    async fn require_code_try(&self, tx: &mut Tx, tag: &Tag, now: Timestamp) -> store::Result<()> {
        let Count { n, at } = decode(throttles::lock(tx, tag, now).await?);
        match (AccountThrottle { failures: n, last_failure: at }).verdict(now) {
            Verdict::Refused => {
                let detail =
                    "too many wrong codes: use a recovery code or a passkey, and set the app up again";
                Err(Error::limited("code_refused", detail, LONGEST_WAIT).into())
            }
            verdict => Ok(verdict.require_allowed()?),
        }
    }

    async fn note_wrong_code(&self, tx: &mut Tx, tag: &Tag, now: Timestamp) -> store::Result<()> {
        let Count { n, at } = decode(throttles::lock(tx, tag, now).await?);
        let next = AccountThrottle { failures: n, last_failure: at }.failed(now);
        let state = encode(Count { n: next.failures, at: next.last_failure })?;
        throttles::put(tx, tag, &state, now.plus(KEPT)).await
    }
}

const fn place(account: AccountId, column: &'static str) -> vault::Context {
    context(TABLE, account, Uuid::nil(), column)
}

fn open(key: &DataKey, account: AccountId, column: &'static str, sealed: &[u8]) -> Result<TotpSecret> {
    let plain = key.open(&place(account, column), sealed)?;
    TotpSecret::from_bytes(&plain).ok_or_else(|| Error::internal("a stored TOTP secret has another length"))
}

pub(crate) fn not_six_digits() -> Error {
    Invalid::new("/code", "malformed", "must be six digits").into()
}

/// The form that authenticator apps read (`otpauth://totp/…`); the label is what the person sees.
fn uri(secret: &str, label: &str) -> Zeroizing<String> {
    let mut escaped = String::new();
    for byte in label.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => {
                escaped.push(char::from(byte))
            }
            _ => escaped.push_str(&format!("%{byte:02X}")),
        }
    }
    Zeroizing::new(format!(
        "otpauth://totp/Fairweather:{escaped}?secret={secret}&issuer=Fairweather&algorithm=SHA1&digits=6&period=30"
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_uri_is_read_by_apps_whatever_the_address_is() {
        assert_eq!(
            *uri("ABC", "ann+x@example.org"),
            "otpauth://totp/Fairweather:ann%2Bx%40example.org\
             ?secret=ABC&issuer=Fairweather&algorithm=SHA1&digits=6&period=30"
        );
        assert!(uri("ABC", "a&secret=x/é").contains("a%26secret%3Dx%2F%C3%A9?"));
    }
}
