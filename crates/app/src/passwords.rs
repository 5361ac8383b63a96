//! Changing a password: by whoever knows the old one, or by a mailed link.

use std::time::Duration;

use domain::email::Email;
use domain::password::Password;
use domain::session::Ending;
use domain::{Error, Invalid, Result, SessionId};
use store::{accounts, challenges, email_changes, password_resets};
use tokio::time::Instant;
use uuid::Uuid;
use vault::Secret;
use vault::password::PasswordHash;

use crate::App;
use crate::audit::{Actor, Entry, Event};
use crate::caller::{Caller, Client, account_is_gone};
use crate::common_passwords;
use crate::data_keys::context;
use crate::factors::Factors;
use crate::identities::ways_in;
use crate::mail::{self, Addressee, Method, Notice, Template};
use crate::sessions::lock_caller;
use crate::throttles::MailFor;

/// How long a mailed link works.
pub const RESET_EXPIRES_IN: Duration = Duration::from_secs(30 * 60);

/// Who asks for a reset is answered at the end of such a span of time.
const PACE: Duration = Duration::from_millis(25);

impl App {
    /// Accepts a new password of somebody with this address, or says what is wrong with it.
    pub(crate) fn accept_password(&self, typed: &str, email: &str) -> Result<Password> {
        self.policy.accept(typed, &[email], common_passwords::contains)
    }

    /// Mails a link by which the password can be reset. Answers alike, and as fast, for an address without an account:
    /// only the mail differs. A throttle on the password does not stop it, or guessing would lock people out.
    pub async fn forgot_password(&self, client: &Client, email: &str) -> Result<()> {
        let begun = Instant::now();
        let answer = self.mail_reset(client, email).await;
        // An account costs some more work: a key to unwrap, a row to lock. Nobody who waits for the answer can tell.
        let paces = u32::try_from(begun.elapsed().as_millis() / PACE.as_millis()).unwrap_or(0) + 1;
        tokio::time::sleep_until(begun + PACE * paces).await;
        answer
    }

    async fn mail_reset(&self, client: &Client, email: &str) -> Result<()> {
        self.require_mail().await?;
        let email = Email::parse(email)?;
        let now = self.now();
        self.count_mail(MailFor::Reset, &email, client, now).await?;
        let email_tag = self.index.email(&email);
        let secret = Secret::generate(&self.random);
        let language = client.language.unwrap_or_default();
        let to_unknown = self.prepare_mail(email.as_str(), language, &Template::NoAccount)?;
        let Addressee { account, to, language } = self.addressee(&email, client.language).await?;
        let to_known =
            self.prepare_mail(&to, language, &Template::PasswordReset { secret: &secret.to_text() })?;
        let hash = *secret.digest().as_bytes();
        self.store
            .write(async move |tx| {
                // Locked, so that an address that is just being given up gets no link any more.
                accounts::lock(tx, account).await?;
                let known = accounts::find_by_email(tx, &email_tag).await? == Some(account);
                password_resets::put(tx, &hash, account, now.plus(RESET_EXPIRES_IN), None).await?;
                mail::queue(tx, [if known { &to_known } else { &to_unknown }]).await
            })
            .await?;
        Ok(())
    }

    /// Sets a new password with the mailed secret. Ends every session and every sign-in that waits for its second
    /// factor, cancels a pending change of the address, lifts what failures have brought about, and signs nobody in.
    /// The secret of a mail that told of a new factor takes that away; no other does.
    pub async fn reset_password(&self, client: &Client, secret: &str, password: &str) -> Result<()> {
        let hash = *Secret::parse(secret).ok_or_else(reset_refused)?.digest().as_bytes();
        let now = self.now();
        let stored = self
            .store
            .read(async move |db| match password_resets::find(db, &hash, now).await? {
                Some(id) => accounts::get(db, id).await,
                None => Ok(None),
            })
            .await?;
        let Some(stored) = stored else {
            self.limit_secrets(client)?;
            return Err(reset_refused());
        };
        let (email, _) = self.address(&stored)?.ok_or_else(reset_refused)?;
        let phc = self.hashing.hash(self.accept_password(password, &email)?).await?;
        let sealed = self.seal_password(&stored, &phc)?;
        let throttle = self.password_account_tag(&Email::parse(&email)?);
        let account = stored.id;
        let by = self.by(Actor::Owner, Some(client.network));
        let app = self.clone();
        let ended = self
            .store
            .write(async move |tx| {
                accounts::lock(tx, account).await?.ok_or_else(reset_refused)?;
                let taken = password_resets::take(tx, &hash, now).await?;
                let taken = taken.filter(|taken| taken.account == account).ok_or_else(reset_refused)?;
                if let Some(since) = taken.undoes {
                    app.undo_factors(tx, account, since, (by, now)).await?;
                }
                accounts::set_password(tx, account, &sealed).await?;
                match taken.undoes {
                    Some(_) => password_resets::delete_all(tx, account).await?,
                    None => password_resets::delete_plain(tx, account).await?,
                }
                email_changes::delete(tx, account).await?;
                challenges::delete_all(tx, account).await?;
                store::throttles::delete(tx, &throttle).await?;
                let stored = accounts::get(tx, account).await?.ok_or_else(reset_refused)?;
                let others = ways_in(&stored) > i64::from(stored.password.is_some());
                let second_factor = Factors::of(tx, account).await?.are_there();
                let notice = app.notice_to(&stored, &Notice::PasswordReset { others, second_factor })?;
                mail::queue(tx, &notice).await?;
                let entry = Entry::of(account, Event::PasswordReset, now).actor(by);
                app.audit(tx, &entry).await?;
                let why = (Ending::CredentialsChanged, by);
                app.end_sessions_in(tx, account, None, why, now).await
            })
            .await?;
        self.revoke(ended, now);
        Ok(())
    }

    /// Sets a new password for the caller, who must know the present one if there is one. Ends all other sessions,
    /// makes mailed links work no more, and cancels a pending change of the address.
    pub async fn change_password(
        &self,
        caller: &Caller,
        client: &Client,
        password: &str,
        current: Option<&str>,
    ) -> Result<()> {
        self.require_step_up(caller).await?;
        self.limit_mutations(caller.account, 1)?;
        let (account, session) = (caller.account, caller.session);
        let stored = self.store.read(async move |db| accounts::get(db, account).await).await?;
        let stored = stored.ok_or_else(account_is_gone)?;
        let Some((email, _)) = self.address(&stored)? else {
            let detail = "a password needs an e-mail address beside it: add one first";
            return Err(Error::conflict("email_required", detail));
        };
        let password = self.accept_password(password, &email)?;
        if stored.password.is_some() {
            let required = || Invalid::new("/current", "required", "say the present password too");
            self.check_current(&stored, (session, client), &email, current.ok_or_else(required)?).await?;
        }
        let phc = self.hashing.hash(password).await?;
        let sealed = self.seal_password(&stored, &phc)?;
        let now = self.now();
        let by = self.by(Actor::Owner, Some(client.network));
        let app = self.clone();
        let ended = self
            .store
            .write(async move |tx| {
                // A reset that came first has ended this session, and must not be undone by it.
                let stored = lock_caller(tx, account, session).await?;
                let notice = if stored.password.is_some() {
                    Notice::PasswordChanged
                } else {
                    Notice::MethodAdded(Method::Password)
                };
                accounts::set_password(tx, account, &sealed).await?;
                // What undoes a factor stays: whoever added it may be who sets this password.
                password_resets::delete_plain(tx, account).await?;
                email_changes::delete(tx, account).await?;
                challenges::delete_all(tx, account).await?;
                mail::queue(tx, &app.notice_to(&stored, &notice)?).await?;
                let entry = Entry::of(account, Event::PasswordChanged, now).actor(by);
                app.audit(tx, &entry).await?;
                let why = (Ending::CredentialsChanged, by);
                app.end_sessions_in(tx, account, Some(session), why, now).await
            })
            .await?;
        self.revoke(ended, now);
        Ok(())
    }

    /// Looks at the present password.
    async fn check_current(
        &self,
        stored: &accounts::Stored,
        from: (SessionId, &Client),
        email: &str,
        current: &str,
    ) -> Result<()> {
        let wrong = || Invalid::new("/current", "wrong", "is not the present password");
        let current = Password::presented(current).map_err(|_| wrong())?;
        if self.is_password(stored, from, email, current).await? { Ok(()) } else { Err(wrong().into()) }
    }

    /// Whether this is the password of an account, shown in a session of it. Counted like a sign-in.
    pub(crate) async fn is_password(
        &self,
        stored: &accounts::Stored,
        (session, client): (SessionId, &Client),
        email: &str,
        shown: Password,
    ) -> Result<bool> {
        let now = self.now();
        let phc = self.stored_password(stored)?;
        let tags = self.password_tags_in(session, &Email::parse(email)?, client);
        self.begin_password_try(tags.clone(), now).await?;
        match self.hashing.verify(shown, phc).await {
            Ok(verified) if verified.matches => {
                self.store.write(async move |tx| Self::clear_password_failures(tx, &tags, now).await).await?;
                Ok(true)
            }
            Ok(_) => {
                self.note_failed_step_up(stored.id, Some(client.network));
                Ok(false)
            }
            Err(error) => {
                // Too many sign-ins at once, most likely: nobody's guess was wrong.
                self.forgive_password_try(tags, now).await?;
                Err(error)
            }
        }
    }

    fn stored_password(&self, stored: &accounts::Stored) -> Result<Option<PasswordHash>> {
        let Some(sealed) = &stored.password else { return Ok(None) };
        let key = self.data_keys.open(stored.id, &stored.data_key)?;
        let phc = key.open(&context("account", stored.id, Uuid::nil(), "password"), sealed)?;
        std::str::from_utf8(&phc).map_err(Error::internal)?.parse().map(Some)
    }

    fn seal_password(&self, stored: &accounts::Stored, phc: &PasswordHash) -> Result<Vec<u8>> {
        let key = self.data_keys.open(stored.id, &stored.data_key)?;
        let place = context("account", stored.id, Uuid::nil(), "password");
        key.seal(&place, phc.to_phc().as_bytes(), &self.random)
    }
}

fn reset_refused() -> Error {
    Invalid::new("/reset", "wrong_or_expired", "the link is wrong, used up or expired; ask for a new one")
        .into()
}
