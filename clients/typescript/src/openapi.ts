/** Generated from schema/openapi.json by `npm run types`. Do not edit. */

export interface paths {
    "/.well-known/jwks.json": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Signing keys
         * @description The public keys of our access tokens (RFC 7517), for services that verify them.
         */
        get: operations["getSigningKeys"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/.well-known/security.txt": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Where to tell of a weakness
         * @description RFC 9116; 404 when the operator has not said where.
         */
        get: operations["getSecurityContact"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/healthz": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Alive
         * @description The process answers. Says nothing of the database; `/readyz` does.
         */
        get: operations["getHealth"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/readyz": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Ready
         * @description The database answers and no shutdown has begun: send requests here.
         */
        get: operations["getReadiness"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/auth/anonymous": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Start anonymously
         * @description Makes an account without any personal data. It can gain a way to sign in later and keeps everything.
         */
        post: operations["startAnonymously"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/auth/login": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Sign in
         * @description An account with a second factor is asked for it: the answer is a challenge then, for `/v1/auth/mfa`, and for the web
         *     app too it comes with status 200.
         *
         *     Five failures for an address are free; then each next try waits twice as long, up to 30 minutes
         *     (`too_many_attempts`). After a hundred in a row the password is refused (`password_refused`) until it was reset by
         *     mail, but on devices that signed in before: those show `device_token` and have failures of their own.
         */
        post: operations["signIn"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/auth/logout": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Sign out
         * @description Ends the caller's session at once and everywhere.
         */
        post: operations["signOut"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/auth/mfa": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Sign in with a second factor
         * @description Answers the challenge of a sign-in. Ten wrong answers end it; wrong codes of an authenticator app slow the next down.
         */
        post: operations["signInWithSecondFactor"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/auth/oauth/{provider}/callback": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Come back from a provider
         * @description For browsers: the provider sends them here. Only the browser that began may come, and once.
         */
        get: operations["finishOauth"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/auth/oauth/{provider}/deauthorize": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Facebook: somebody removed the app
         * @description The identity leads nowhere from now on; an account without another way in goes with it.
         */
        post: operations["facebookDeauthorize"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/auth/oauth/{provider}/deletion": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Facebook: somebody asks to be forgotten
         * @description Done at once; the answer says where that can be seen.
         */
        post: operations["facebookDeletion"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/auth/oauth/{provider}/deletion/{code}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Look at a deletion
         * @description That Facebook was told of.
         */
        get: operations["facebookDeletionState"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/auth/oauth/{provider}/start": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Begin at a provider
         * @description Answers where to send the browser. `login` signs in, makes an account for somebody new, or makes the caller's
         *     anonymous account theirs. `link` has the provider lead to the caller's account as well, and needs a fresh sign-in.
         *     `step_up` proves again who holds the caller's session. An e-mail address never leads to an account.
         *
         *     Our own page comes back to `return_to` with `#provider=…&outcome=…` behind it, where the outcome is `signed_in`,
         *     `linked` or `stepped_up`, or with `#provider=…&error=…`. An app comes back to `redirect_uri` with `?code=…` or
         *     `?error=…`.
         */
        post: operations["startOauth"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/auth/oauth/{provider}/token": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Exchange what an app got
         * @description The code that its browser brought, with the verifier; or an ID token with the nonce of `start`. Each is good once.
         *     Linking and stepping up need the credential of the session in which that began.
         */
        post: operations["exchangeOauth"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/auth/passkeys/finish": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Sign in with a passkey
         * @description A passkey is two factors in one, so nothing else is asked for.
         */
        post: operations["signInWithPasskey"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/auth/passkeys/start": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Begin to use a passkey
         * @description Hand `public_key` to the browser (`PublicKeyCredential.parseRequestOptionsFromJSON`, then
         *     `navigator.credentials.get`), and what it gives to `/v1/auth/passkeys/finish`, or to `/v1/auth/step-up`. Good once and
         *     for five minutes.
         */
        post: operations["startPasskeySignIn"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/auth/password/forgot": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Ask for a new password
         * @description Mails a link that works once, for 30 minutes. The answer is the same for an address without an account, and a
         *     throttled password changes nothing.
         */
        post: operations["forgotPassword"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/auth/password/reset": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Set a new password
         * @description With what the mailed link carries. Ends every session, cancels a pending change of the address, and signs nobody in:
         *     sign in with the new password, and with the second factor if there is one.
         */
        post: operations["resetPassword"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/auth/providers": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * List providers
         * @description Through which people can sign in here, beside a password.
         */
        get: operations["listProviders"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/auth/refresh": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Refresh
         * @description Exchanges a refresh token for the next pair. A lost answer is no harm: ask again with the same token.
         */
        post: operations["refreshTokens"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/auth/register": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Register
         * @description Mails a code. The answer is the same for an address that has an account. From an anonymous session it
         *     upgrades that account.
         */
        post: operations["register"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/auth/register/confirm": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Confirm a registration
         * @description With the mailed code. Five tries, thirty minutes.
         */
        post: operations["confirmRegistration"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/auth/revoke": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Revoke a refresh token
         * @description Ends its session. Unknown tokens are no error (RFC 7009). An anonymous account is signed out of by logging out.
         */
        post: operations["revokeToken"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/auth/step-up": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Step up
         * @description Shows again who the caller is. Sensitive changes ask for it with 401 `insufficient_user_authentication` when the
         *     last proof is older than five minutes; they go through for five minutes after this. The tokens are of the same
         *     session, and say when its last proof was: use the new access token from now on.
         */
        post: operations["stepUp"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/changes": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Read what changed
         * @description What happened to favourites since a cursor, by this device or another. 410 says that it cannot be told: take
         *     the snapshot anew and go on from its cursor.
         */
        get: operations["listChanges"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/favourites": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * List favourites
         * @description In order of (position, id). A synchronising client takes them in one page and goes on from `cursor`.
         */
        get: operations["listFavourites"];
        put?: never;
        /**
         * Create a favourite
         * @description Under an id of its own; PUT takes one that the client made. The same place twice is allowed and told.
         */
        post: operations["createFavourite"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/favourites/forecasts": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Forecasts of all favourites
         * @description The favourites screen in one request: now, today and the next hours of each. Answers within three seconds
         *     with what is there by then.
         */
        get: operations["listFavouriteForecasts"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/favourites/{id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Read a favourite */
        get: operations["getFavourite"];
        /**
         * Create or replace a favourite
         * @description The client makes the id (UUIDv7). Replaces name, coordinates, place, elevation and note; a position that is
         *     left out is kept.
         */
        put: operations["putFavourite"];
        post?: never;
        /** Remove a favourite */
        delete: operations["deleteFavourite"];
        options?: never;
        head?: never;
        /**
         * Change fields of a favourite
         * @description A JSON merge patch. Two devices that change different fields both keep their change.
         */
        patch: operations["patchFavourite"];
        trace?: never;
    };
    "/v1/favourites/{id}/forecast": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Forecast of a favourite */
        get: operations["getFavouriteForecast"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/forecasts": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Forecasts of points
         * @description One to ten; one that fails does not fail the others.
         */
        post: operations["getPointForecasts"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/me": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Who am I */
        get: operations["getMe"];
        put?: never;
        post?: never;
        /**
         * Remove the account
         * @description With all that is its own, at once and for good; asks for a fresh proof of identity (`/v1/auth/step-up`). A backup that
         *     is put back later does not bring it back.
         */
        delete: operations["deleteAccount"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/me/adopt": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Adopt an anonymous account
         * @description Takes over its favourites, skipping places that are there already, and removes it.
         */
        post: operations["adoptAccount"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/me/email": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Read the address
         * @description And the one that is to take its place, if a change is pending.
         */
        get: operations["getEmail"];
        put?: never;
        /**
         * Change the address
         * @description Mails a code to the new address and another one to the old. The change waits for both, for 24 hours; in a session
         *     with a second factor that the account has had for a week the old address is only told. Needs a proof of identity from the last five minutes. The answer
         *     is the same for an address that has an account. A change that was pending is cancelled.
         */
        post: operations["changeEmail"];
        /**
         * Leave the address as it is
         * @description Cancels a pending change. That there is none is no error.
         */
        delete: operations["cancelEmailChange"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/me/email/confirm": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Confirm the change of the address
         * @description With one of the mailed codes, in either order. With the last one the address changes: `pending` is null then. Ten
         *     tries.
         */
        post: operations["confirmEmail"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/me/export": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Export the account
         * @description A ZIP archive of all that is kept of it: `account.json`, `favourites.json` and `favourites.geojson`. Asks for a fresh
         *     proof of identity (`/v1/auth/step-up`).
         */
        get: operations["exportAccount"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/me/factors": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** List second factors */
        get: operations["listFactors"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/me/factors/recovery-codes": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Make new recovery codes
         * @description Those that are left count no more. Needs a second factor and a step-up.
         */
        post: operations["makeRecoveryCodes"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/me/factors/totp": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Set up an authenticator app
         * @description The secret counts when a code of it was confirmed within ten minutes; one that counts already goes on until then.
         *     Needs a step-up.
         */
        post: operations["setUpTotp"];
        /**
         * Remove the authenticator app
         * @description All other sessions end. Operators and analysts keep a second factor: 409 `second_factor_required`. Needs a step-up.
         */
        delete: operations["removeTotp"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/me/factors/totp/confirm": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Confirm an authenticator app
         * @description With the code that it shows. From now on signing in asks for one.
         */
        post: operations["confirmTotp"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/me/identities": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * List identities
         * @description Which providers lead into this account. To add one, start at `/v1/auth/oauth/{provider}/start` with the purpose
         *     `link`.
         */
        get: operations["listIdentities"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/me/identities/{id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post?: never;
        /**
         * Remove an identity
         * @description It leads here no longer, and all other sessions end. Needs a fresh sign-in; the last way into an account stays
         *     (`last_way_in`).
         */
        delete: operations["removeIdentity"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/me/keys": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * List one's own API keys
         * @description Those that the caller has made, as an operator.
         */
        get: operations["listOwnApiKeys"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/me/passkeys": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** List passkeys */
        get: operations["listPasskeys"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/me/passkeys/finish": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Add a passkey
         * @description From now on it is a way in by itself, and the second factor beside any other. An anonymous account has an owner from
         *     here on: its earlier sessions end, and a new one begins.
         */
        post: operations["addPasskey"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/me/passkeys/start": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Begin to add a passkey
         * @description Hand `public_key` to the browser (`PublicKeyCredential.parseCreationOptionsFromJSON`, then
         *     `navigator.credentials.create`), and what it gives to `/v1/me/passkeys/finish`. Good once and for five minutes. Needs a
         *     step-up; an anonymous account needs none.
         */
        post: operations["startPasskey"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/me/passkeys/{id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post?: never;
        /**
         * Remove a passkey
         * @description All other sessions end. The only way into an account stays: 409 `last_way_in`. Needs a step-up.
         */
        delete: operations["removePasskey"];
        options?: never;
        head?: never;
        /** Rename a passkey */
        patch: operations["renamePasskey"];
        trace?: never;
    };
    "/v1/me/password": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        /**
         * Change the password
         * @description Or set the first one, for an account with an e-mail address. Needs a proof of identity from the last five minutes.
         *     Ends all other sessions, and tells the holder by mail.
         */
        put: operations["changePassword"];
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/me/preferences": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        /** Set preferences */
        put: operations["setPreferences"];
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/me/sessions": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * List sessions
         * @description Where the caller is signed in, those that began last first.
         */
        get: operations["listSessions"];
        put?: never;
        post?: never;
        /**
         * End all other sessions
         * @description Everywhere within five seconds. Needs a fresh proof (`insufficient_user_authentication`).
         */
        delete: operations["endOtherSessions"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/me/sessions/{id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post?: never;
        /**
         * End a session
         * @description Everywhere within five seconds, its streams too. Another one than one's own needs a fresh proof
         *     (`insufficient_user_authentication`). One's own is signed out of: an anonymous account refuses that with
         *     `discard_required`.
         */
        delete: operations["endSession"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/operator/accounts": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * List accounts
         * @description The oldest first. Nothing that they keep is shown. For operators, and for keys with the scope `accounts:read`, which
         *     are told no addresses.
         */
        get: operations["listAccounts"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/operator/accounts/{id}/end-sessions": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * End all sessions of an account
         * @description Everywhere within five seconds. Needs the role of an operator and a fresh proof (`insufficient_user_authentication`).
         */
        post: operations["endSessionsOfAccount"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/operator/accounts/{id}/roles": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Give or take a role
         * @description All sessions of the account end, since they keep the roles they began with. Needs the role of an operator and a
         *     fresh proof (`insufficient_user_authentication`). An account without a second factor is given none
         *     (`second_factor_required`).
         */
        post: operations["changeRoles"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/operator/audit": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Read the audit log
         * @description What happened to accounts and by whom, the newest first. For operators, and for keys with the scope `audit:read`.
         */
        get: operations["readAudit"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/operator/keys": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * List API keys
         * @description All of the installation. Needs the role of an operator.
         */
        get: operations["listApiKeys"];
        put?: never;
        /**
         * Make an API key
         * @description For a service of one's own. Needs the role of an operator and a fresh proof (`insufficient_user_authentication`).
         */
        post: operations["createApiKey"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/operator/keys/{id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post?: never;
        /**
         * Revoke an API key
         * @description It works nowhere any more within five seconds. Needs the role of an operator and a fresh proof.
         */
        delete: operations["revokeApiKey"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/places": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Search places
         * @description As you type: prefixes, diacritics, many scripts, and typing errors. Best first.
         */
        get: operations["searchPlaces"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/places/nearest": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Find the nearest place
         * @description In the body and not in the address, since addresses end up in logs.
         */
        post: operations["findNearestPlace"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/places/{id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Read a place */
        get: operations["getPlace"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/places/{id}/forecast": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Forecast of a place */
        get: operations["getPlaceForecast"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/stream": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Follow changes
         * @description Server-sent events: `hello`, `changes` (its data is a `Delta`, its id the cursor behind it), `forecast`,
         *     `reset`, `session`; a comment every 20 seconds. A cursor that cannot be gone on from leads to `reset` and not
         *     to an error. A server that cannot serve the stream says `retry:` and ends it.
         */
        get: operations["followChanges"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/stream/ticket": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Draw a ticket for a stream
         * @description For an EventSource or WebSocket on another origin, which can set no header: the ticket stands in the URL, opens
         *     one stream within 30 seconds, and the stream ends when the caller's own credential does.
         */
        post: operations["createStreamTicket"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/sync": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Send changes and receive changes
         * @description Up to 100 mutations of one device, applied in their order in one transaction with a result each, then what
         *     changed since the device's cursor. May be repeated as often as needed: a mutation has its effect once. An old
         *     cursor never keeps mutations from being applied.
         */
        post: operations["sync"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/weather-codes": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Weather codes */
        get: operations["listWeatherCodes"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/webhooks": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** List webhooks */
        get: operations["listWebhooks"];
        put?: never;
        /**
         * Make a webhook
         * @description Events are posted there, signed as the Standard Webhooks say, at least once each. Operators need a fresh proof.
         */
        post: operations["createWebhook"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/webhooks/{id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Read a webhook */
        get: operations["getWebhook"];
        put?: never;
        post?: never;
        /**
         * Remove a webhook
         * @description With everything that waits for it. Operators need a fresh proof.
         */
        delete: operations["removeWebhook"];
        options?: never;
        head?: never;
        /**
         * Change a webhook
         * @description Operators need a fresh proof.
         */
        patch: operations["changeWebhook"];
        trace?: never;
    };
    "/v1/webhooks/{id}/deliveries": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** List a webhook's deliveries */
        get: operations["listWebhookDeliveries"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/webhooks/{id}/deliveries/{delivery_id}/replay": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Send a delivery again
         * @description As the same event, whether it arrived or not. Operators need a fresh proof.
         */
        post: operations["replayWebhookDelivery"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/webhooks/{id}/rotate": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Renew a webhook's secret
         * @description For a day both the new one and the one before sign. Operators need a fresh proof.
         */
        post: operations["rotateWebhookSecret"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/ws": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Follow changes over a WebSocket
         * @description Frames `{"t","d"}` with the events of `/v1/stream`. The client begins with `{"t":"init","token"?,"cursor"?}`
         *     within five seconds, goes on with `{"t":"auth","token"}` before its token ends, and may send `{"t":"ping"}`.
         *     A cookie counts from our own origin only.
         */
        get: operations["followChangesOverWebSocket"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
}
export type webhooks = Record<string, never>;
export interface components {
    schemas: {
        /** @description One account, without anything that it keeps. */
        Account: {
            /** Format: date-time */
            created_at: string;
            /**
             * @description Null when there is none. Services are told none.
             * @example ann@example.org
             */
            email: string | null;
            /** Format: uuid */
            id: string;
            /**
             * @description `anonymous` until there is a way to sign in, then `registered`.
             * @example registered
             */
            kind: string;
            roles: string[];
            /** Format: date-time */
            seen_at: string;
        };
        /** @description Accounts, the oldest first. */
        Accounts: {
            items: components["schemas"]["Account"][];
            /**
             * Format: uuid
             * @description Give it as `after` for the next page; null on the last.
             */
            next: string | null;
        };
        AddedPasskey: {
            passkey: components["schemas"]["Passkey"];
            /**
             * @description Ten codes for the day the device is lost, each good once; shown this once. Null when the account has some, or
             *     when it can be signed in to with a passkey alone.
             * @example [
             *       "7Q4KM-2XRAB-C3D4E-5F6G7-H8J9K-M"
             *     ]
             */
            recovery_codes: string[] | null;
            tokens: components["schemas"]["Tokens"] | null;
        };
        AdoptRequest: {
            /** @description Of the anonymous account. The web app leaves it out: its sign-in remembers, for an hour. */
            access_token?: string | null;
        };
        Adopted: {
            /**
             * @description Favourites that were taken over.
             * @example 3
             */
            added: number;
            /**
             * @description Favourites whose place was there already.
             * @example 1
             */
            skipped: number;
        };
        /** @description An API key; its secret cannot be read any more. */
        ApiKey: {
            /** Format: date-time */
            created_at: string;
            /** Format: date-time */
            expires_at: string | null;
            /**
             * @description How the secret begins.
             * @example fw_live_4mZq
             */
            hint: string;
            /** Format: uuid */
            id: string;
            /**
             * Format: uuid
             * @description The operator's account; null when it was made at the server's terminal.
             */
            made_by: string | null;
            /** @example Newsletter */
            name: string;
            /**
             * Format: int64
             * @description Requests a minute.
             * @example 600
             */
            per_minute: number;
            /**
             * @example [
             *       "forecasts:read"
             *     ]
             */
            scopes: string[];
            /**
             * Format: date-time
             * @description Last used; noted once a minute.
             */
            used_at: string | null;
        };
        /** @description API keys, the oldest first. */
        ApiKeys: {
            items: components["schemas"]["ApiKey"][];
            /**
             * Format: uuid
             * @description Always null: there are a hundred at most.
             */
            next: string | null;
        };
        Attribution: {
            /** @example Weather data by Open-Meteo.com */
            text: string;
            /** @example https://open-meteo.com/ */
            url: string | null;
        };
        /** @description One line of the audit log. */
        AuditLine: {
            /**
             * Format: uuid
             * @description The account that it happened to. A removed one stands under another id.
             */
            account_id: string | null;
            /**
             * @description `owner`, `operator`, `api_key`, `command_line`, `server` or `unknown`.
             * @example owner
             */
            actor: string;
            /**
             * Format: uuid
             * @description The operator's account, or the key.
             */
            actor_id: string | null;
            /** Format: date-time */
            at: string;
            /** @example signed_in */
            event: string;
            /** Format: uuid */
            id: string;
            /**
             * Format: uuid
             * @description The session, key, webhook or delivery that it is about.
             */
            item_id: string | null;
            /**
             * @description Equal for equal networks; the address cannot be read from it.
             * @example 9f3c01a4d2b75e60
             */
            network: string | null;
            /**
             * Format: int64
             * @description How often, where several are told as one.
             * @example 1
             */
            times: number;
            /**
             * @description What more there is to say: a role, a reason, a kind of factor, a provider.
             * @example password
             */
            word: string | null;
        };
        /** @description Lines of the audit log, the newest first. */
        AuditLines: {
            items: components["schemas"]["AuditLine"][];
            /**
             * Format: uuid
             * @description Give it as `after` for older ones; null at the end.
             */
            next: string | null;
        };
        /** @description What `navigator.credentials.get` gave, by `toJSON()`. */
        AuthenticationResponse: {
            rawId: components["schemas"]["Octets"];
            response: components["schemas"]["AuthenticatorAssertionResponse"];
        };
        AuthenticatorAssertionResponse: {
            authenticatorData: components["schemas"]["Octets"];
            clientDataJSON: components["schemas"]["Octets"];
            signature: components["schemas"]["Octets"];
            userHandle?: components["schemas"]["Octets"] | null;
        };
        AuthenticatorAttestationResponse: {
            attestationObject: components["schemas"]["Octets"];
            clientDataJSON: components["schemas"]["Octets"];
            transports?: string[];
        };
        AuthenticatorSelectionCriteria: {
            requireResidentKey: boolean;
            residentKey: string;
            userVerification: string;
        };
        /** @description The newest change of one item. */
        Change: {
            /** @description It was removed; there is no `item` then. */
            deleted: boolean;
            /** Format: uuid */
            id: string;
            item?: components["schemas"]["Favourite"];
            /**
             * @description What kind of thing changed. Kinds that a client does not know are to be ignored.
             * @example favourite
             */
            kind: string;
            /**
             * Format: int64
             * @example 57
             */
            rev: number;
        };
        Confirmation: {
            /**
             * @description As mailed; case, spaces and dashes do not matter.
             * @example 7Q4K-M2XR
             */
            code: string;
            registration: string;
        };
        ConfirmedTotp: {
            /**
             * @description Ten codes for the day the phone is lost, each good once; shown this once. Null when the account has some.
             * @example [
             *       "7Q4KM-2XRAB-C3D4E-5F6G7-H8J9K-M"
             *     ]
             */
            recovery_codes: string[] | null;
        };
        /** @description A favourite that was just created. */
        CreatedFavourite: components["schemas"]["Favourite"] & {
            /** @description Other favourites at the same place. */
            duplicate_of?: string[];
        };
        Credentials: {
            /** @example ann@example.org */
            email: string;
            /**
             * @description At least 15 characters, at most 256.
             * @example four plain words do
             */
            password: string;
        };
        /** @description One array per value, each as long as `date`. */
        Daily: {
            date: string[];
            precipitation: (number | null)[];
            precipitation_probability: (number | null)[];
            sunrise: (number | null)[];
            sunset: (number | null)[];
            temperature_max: (number | null)[];
            temperature_min: (number | null)[];
            weather_code: (number | null)[];
            wind_gust_max: (number | null)[];
            wind_speed_max: (number | null)[];
        };
        /** @description A local day. */
        Day: {
            /**
             * Format: date
             * @example 2026-11-21
             */
            date: string;
            /** Format: double */
            precipitation: number | null;
            /** Format: int32 */
            precipitation_probability: number | null;
            /**
             * Format: int64
             * @description Unix seconds; null in polar day and night.
             */
            sunrise: number | null;
            /** Format: int64 */
            sunset: number | null;
            /** Format: double */
            temperature_max: number | null;
            /** Format: double */
            temperature_min: number | null;
            /**
             * Format: int32
             * @description The most severe of the day.
             */
            weather_code: number | null;
            /** Format: double */
            wind_gust_max: number | null;
            /** Format: double */
            wind_speed_max: number | null;
        };
        DeletionConfirmation: {
            confirmation_code: string;
            /** @description Where its state can be seen. */
            url: string;
        };
        DeletionState: {
            /**
             * @description Always `done`: what was held was removed before the code was given.
             * @example done
             */
            status: string;
        };
        /** @description The changes that lead from one cursor to another. An item appears once, as its newest change left it. */
        Delta: {
            /** @description In the order of their revisions. */
            changes: components["schemas"]["Change"][];
            /**
             * @description The cursor that was asked.
             * @example v1.2851.41
             */
            from: string;
            /** @description There are more behind `to`. */
            has_more: boolean;
            /**
             * @description Where to go on: the end of the log, or of this page when `has_more`.
             * @example v1.2851.57
             */
            to: string;
        };
        EmailAddress: {
            /** @example ann@example.org */
            email: string | null;
            pending: components["schemas"]["PendingEmail"] | null;
        };
        EmailChange: {
            /** @example ann@example.net */
            email: string;
        };
        EmailConfirmation: {
            /**
             * @description As mailed; case, spaces and dashes do not matter.
             * @example 7Q4K-M2XR
             */
            code: string;
        };
        /** @description How many sessions have ended. */
        EndedSessions: {
            /** @example 3 */
            ended: number;
        };
        FactorList: {
            /**
             * @description How many; they are listed at `/v1/me/passkeys`.
             * @example 1
             */
            passkeys: number;
            /**
             * @description How many are left.
             * @example 10
             */
            recovery_codes: number;
            totp: components["schemas"]["TotpFactor"] | null;
        };
        /** @description A saved place or point. */
        Favourite: {
            /**
             * Format: int32
             * @description Metres above the sea; null when nobody said.
             * @example 23
             */
            elevation: number | null;
            /** Format: uuid */
            id: string;
            /**
             * Format: double
             * @description Degrees north.
             * @example 59.91
             */
            lat: number;
            /**
             * Format: double
             * @description Degrees east.
             * @example 10.75
             */
            lon: number;
            /** @example Oslo */
            name: string;
            note: string | null;
            /**
             * Format: int32
             * @description Of the gazetteer, when it was picked there.
             * @example 3143244
             */
            place_id: number | null;
            /**
             * @description Fractional index: favourites are ordered by (position, id), compared byte by byte.
             * @example a0
             */
            position: string;
            /**
             * Format: int64
             * @description Number of the change that made it what it is; its ETag is `"r<rev>"`.
             * @example 42
             */
            rev: number;
            /**
             * @description IANA time zone, computed from the coordinates.
             * @example Europe/Oslo
             */
            tz: string;
            /**
             * Format: date-time
             * @example 2026-11-21T09:28:16Z
             */
            updated_at: string;
        };
        /** @description A forecast, or what stands in its way: one failing place never fails the others. */
        FavouriteForecast: {
            /** Format: uuid */
            favourite_id: string;
            forecast?: components["schemas"]["Forecast"];
            /** @description `forecast_pending` while it is being fetched. */
            problem?: components["schemas"]["Problem"];
        };
        /** @description The favourites screen. */
        FavouriteForecasts: {
            items: components["schemas"]["FavouriteForecast"][];
            /** @description Attribution of each source that an item names. */
            sources: {
                [key: string]: components["schemas"]["Attribution"];
            };
            units: {
                [key: string]: string;
            };
        };
        /** @description Favourites in order. */
        FavouritePage: {
            /**
             * @description Position in the log of changes when the first page was read.
             * @example v1.2851.57
             */
            cursor: string;
            items: components["schemas"]["Favourite"][];
            /** @description Give it as `after` for the next page; null on the last. */
            next: string | null;
        };
        /** @description A JSON merge patch (RFC 7396): fields that are left out stay; `null` clears place, elevation or note. */
        FavouritePatch: {
            /** Format: int64 */
            elevation?: number | null;
            /** Format: double */
            lat?: number;
            /** Format: double */
            lon?: number;
            name?: string;
            note?: string | null;
            /** Format: int64 */
            place_id?: number | null;
            position?: string;
        };
        /** @description One wrong field. */
        FieldProblem: {
            /** @example out_of_range */
            code: string;
            /** @example must be between -90 and 90 */
            detail: string;
            /**
             * @description JSON pointer into the body, `?name` for a query parameter, or a header's name.
             * @example /lat
             */
            pointer: string;
        };
        /**
         * @description Weather for one place, from one source, never spliced. Times of series are unix seconds UTC; a value that is
         *     not known is null, never 0. A variable that was not asked for, or that the source does not have, is absent.
         */
        Forecast: {
            /**
             * Format: int64
             * @description Seconds since it was fetched. Not in lists, whose bytes are kept: use `fetched_at`.
             */
            age_s?: number;
            /** @description Show it beside the data. In lists it stands once, under `sources`. */
            attribution?: components["schemas"]["Attribution"];
            daily: components["schemas"]["Daily"];
            /** Format: date-time */
            fetched_at: string;
            hourly: components["schemas"]["Hourly"];
            /**
             * Format: date-time
             * @description When the source computed it; null when it does not say.
             */
            issued_at: string | null;
            now: components["schemas"]["Now"] | null;
            /**
             * @description `open-meteo`, …; `sandbox` is made up.
             * @example open-meteo
             */
            source: string;
            /** @description Older than an answer should be: the source has been out of reach for hours. */
            stale: boolean;
            today: components["schemas"]["Day"] | null;
            /**
             * @description IANA zone of `today` and `daily`.
             * @example Europe/Lisbon
             */
            tz: string | null;
            /** @description Unit of each variable. In lists it stands once. */
            units?: {
                [key: string]: string;
            };
        };
        ForecastPoint: {
            /**
             * Format: int32
             * @description Metres above the sea.
             */
            elevation?: number | null;
            /**
             * Format: double
             * @example 38.72
             */
            lat: number;
            /**
             * Format: double
             * @example -9.14
             */
            lon: number;
        };
        ForecastsRequest: {
            points: components["schemas"]["ForecastPoint"][];
        };
        ForgotPasswordRequest: {
            /** @example ann@example.org */
            email: string;
        };
        /** @description One array per variable, each as long as `time`. */
        Hourly: {
            apparent_temperature?: (number | null)[];
            cloud_cover?: (number | null)[];
            dew_point?: (number | null)[];
            humidity?: (number | null)[];
            is_day?: boolean[];
            precipitation?: (number | null)[];
            precipitation_probability?: (number | null)[];
            pressure?: (number | null)[];
            snowfall?: (number | null)[];
            /** @description Length of each slot in seconds. */
            step_s: number[];
            temperature?: (number | null)[];
            /** @description Unix seconds at which each slot starts. */
            time: number[];
            uv_index?: (number | null)[];
            visibility?: (number | null)[];
            weather_code?: (number | null)[];
            wind_direction?: (number | null)[];
            wind_gust?: (number | null)[];
            wind_speed?: (number | null)[];
        };
        Identity: {
            /** Format: date-time */
            created_at: string;
            /**
             * @description Verified by the provider; for the eye alone, it is no way in. Null when the provider tells none.
             * @example ann@example.org
             */
            email: string | null;
            /** Format: uuid */
            id: string;
            /**
             * @description The provider's name, as `/v1/auth/providers` lists it.
             * @example google
             */
            provider: string;
            /**
             * Format: date-time
             * @description When somebody last came in this way.
             */
            used_at: string;
        };
        IdentityList: {
            items: components["schemas"]["Identity"][];
            /** @description Always null: an account has a handful. */
            next: string | null;
        };
        /**
         * @description Kinds of things that are kept alike on all devices.
         * @enum {string}
         */
        Kind: "favourite";
        LoginRequest: {
            /**
             * @description What the last sign-in on this device answered.
             * @example dt1.q83v…
             */
            device_token?: string | null;
            /** @example ann@example.org */
            email: string;
            /** @example four plain words do */
            password: string;
        };
        LogoutRequest: {
            /** @description An anonymous account has no other way in: say `true` to remove it with all its data. */
            discard?: boolean;
            /** @description Ends the session of this token, when the request carries no other credential. */
            refresh_token?: string | null;
        };
        /** @description A value that was replaced. */
        LostBody: {
            /**
             * Format: int64
             * @description The change that had set it.
             * @example 44
             */
            rev: number;
            was: unknown;
        };
        /** @description A new key. The secret is shown this once. */
        MadeApiKey: components["schemas"]["ApiKey"] & {
            /**
             * @description For `Authorization: Bearer`.
             * @example fw_live_…
             */
            secret: string;
        };
        Me: {
            /** Format: uuid */
            account_id: string;
            /** Format: date-time */
            created_at: string;
            /** @example ann@example.org */
            email: string | null;
            /**
             * @description `anonymous` until there is a way to sign in, then `registered`.
             * @example registered
             */
            kind: string;
            preferences: components["schemas"]["Preferences"];
            /** @description What this session may do: `user`, `analyst`, `operator`. */
            roles: string[];
            /**
             * @description Roles that the account was given and this session does not have: they need a second factor. Add one, or sign in
             *     with it.
             * @example []
             */
            withheld_roles: string[];
        };
        /** @description One change of one item. */
        Mutation: {
            /**
             * Format: int64
             * @description The item's revision when the device changed it; null when the device had made it itself and was not told
             *     yet.
             * @example 41
             */
            base_rev?: number | null;
            /**
             * Format: uuid
             * @description Of the item; for a new one made by the client (UUIDv7).
             */
            id: string;
            kind: components["schemas"]["Kind"];
            /**
             * Format: uuid
             * @description Made by the client (UUIDv7, no other): under it the change happens once, however often it is sent.
             */
            mid: string;
            op: components["schemas"]["Operation"];
            policy?: components["schemas"]["PolicyName"] | null;
            set?: components["schemas"]["FavouritePatch"] | null;
        };
        /** @description What became of one mutation. */
        MutationResult: {
            /**
             * @description With `conflict`: `exists`, `gone` or `stale`; with `rejected`: `invalid`, `quota`, `mid_reused` or `expired`.
             * @example stale
             */
            error?: string;
            /** @description With `invalid`: each wrong field, with a pointer into the body of the request. */
            errors?: components["schemas"]["FieldProblem"][];
            /** @description The item as it is now, if it is there. */
            item?: components["schemas"]["Favourite"];
            /** Format: uuid */
            mid: string;
            /** @description By field: values of other devices that this device had not seen and that it replaced. */
            overwrote?: {
                [key: string]: components["schemas"]["LostBody"];
            };
            /**
             * Format: int64
             * @description Number of the change, when it was applied.
             * @example 57
             */
            rev?: number;
            /**
             * @description `applied`; `duplicate` (applied when it came before); `noop` (it is so already); `conflict` (another device's
             *     change stands in the way); `rejected` (the mutation is at fault).
             * @example applied
             */
            status: string;
        };
        NearestPlace: {
            /**
             * Format: int32
             * @description From the point asked for to the place's own.
             * @example 1830
             */
            distance_m: number;
            place: components["schemas"]["Place"];
        };
        NewApiKey: {
            /**
             * Format: int32
             * @description For ever when left out.
             */
            expires_in_days?: number | null;
            /**
             * @description 1 to 100 characters on one line.
             * @example Newsletter
             */
            name: string;
            /**
             * Format: int32
             * @description Requests a minute; 600 when left out.
             */
            per_minute?: number | null;
            /**
             * @description `forecasts:read`, `accounts:read`, `audit:read`, `webhooks:manage`.
             * @example [
             *       "forecasts:read"
             *     ]
             */
            scopes: string[];
        };
        /**
         * @description Either `place_id`, or `name` with `lat` and `lon`; what is given beside a `place_id` goes before its values.
         * @example {
         *       "place_id": 2267057
         *     }
         */
        NewFavourite: {
            /**
             * Format: int64
             * @description Metres above the sea.
             */
            elevation?: number | null;
            /**
             * Format: double
             * @example 60.1
             */
            lat?: number | null;
            /**
             * Format: double
             * @example 9.2
             */
            lon?: number | null;
            /**
             * @description 1 to 100 characters on one line.
             * @example Cabin
             */
            name?: string | null;
            /** @description Up to 2000 characters. */
            note?: string | null;
            /**
             * Format: int64
             * @example 2267057
             */
            place_id?: number | null;
            /** @description Behind all others when left out. */
            position?: string | null;
        } | ({
            place_id: number;
        } | {
            lat?: null;
            lon?: null;
        } | {
            lat: number;
            lon: number;
        }) | {
            lat: number;
            lon: number;
            name: string;
        };
        NewPasskeyRequest: {
            credential: components["schemas"]["RegistrationResponse"];
            /** @example My phone */
            name: string;
        };
        NewWebhook: {
            description?: string | null;
            /**
             * @description `account.created`, `account.registered`, `account.deleted`, `session.revoked`.
             * @example [
             *       "account.deleted"
             *     ]
             */
            events: string[];
            /**
             * @description `https://` and a public host.
             * @example https://hooks.example.org/fairweather
             */
            url: string;
        };
        /** @description The slot that holds the present. */
        Now: {
            /** Format: double */
            apparent_temperature: number | null;
            /** Format: int32 */
            cloud_cover: number | null;
            /** Format: double */
            dew_point: number | null;
            /** Format: int32 */
            humidity: number | null;
            is_day: boolean;
            /** Format: double */
            precipitation: number | null;
            /** Format: int32 */
            precipitation_probability: number | null;
            /** Format: double */
            pressure?: number;
            /** Format: double */
            snowfall?: number;
            /** Format: double */
            temperature: number | null;
            /**
             * Format: int64
             * @description Unix seconds at which the slot starts.
             * @example 1795251600
             */
            time: number;
            /** Format: double */
            uv_index?: number;
            /** Format: double */
            visibility?: number;
            /**
             * Format: int32
             * @description WMO 4677.
             */
            weather_code: number | null;
            /**
             * Format: int32
             * @description Degrees it comes from.
             */
            wind_direction: number | null;
            /** Format: double */
            wind_gust: number | null;
            /** Format: double */
            wind_speed: number | null;
        };
        /** @description Either `code` and `code_verifier`, or `id_token` and `nonce`. */
        OauthGrant: {
            /** @description From the registered address. */
            code?: string | null;
            /** @description The verifier behind the challenge that this began with. */
            code_verifier?: string | null;
            /** @description From the system, after `native`. */
            id_token?: string | null;
            /** @description The one that `start` gave. */
            nonce?: string | null;
        };
        /**
         * @description Our own page says where to come back to with `return_to`; an app with `redirect_uri` and `code_challenge`, or it
         *     says `native`.
         */
        OauthStart: {
            /**
             * @description An app: S256 of a verifier that it keeps (RFC 7636).
             * @example E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM
             */
            code_challenge?: string | null;
            /** @description An app that asks the provider through the system: gets a nonce for the ID token instead of an address. */
            native?: boolean;
            /**
             * @description `login` (when left out), `link` or `step_up`. The last two need a credential.
             * @example login
             */
            purpose?: string | null;
            /**
             * @description An app: one of the addresses that the operator registered.
             * @example org.example.app:/callback
             */
            redirect_uri?: string | null;
            /**
             * @description The web app: a path of this server, `/` when left out.
             * @example /settings
             */
            return_to?: string | null;
        };
        OauthStarted: {
            /**
             * Format: int64
             * @description Seconds.
             * @example 600
             */
            expires_in: number;
            /** @description With `native`: have the provider put it into the ID token, as it is. */
            nonce?: string;
            /**
             * @description Send the browser there.
             * @example https://accounts.google.com/o/oauth2/v2/auth?…
             */
            url?: string;
        };
        /**
         * @description Bytes as the standard writes them in JSON: base64url without padding.
         * @example dGhlcmUgaXMgbm90aGluZyBoZXJl
         */
        Octets: string;
        /** @enum {string} */
        Operation: "create" | "update" | "delete";
        Passkey: {
            /** @description Whether a provider keeps copies of it, so that losing the device does not lose it. */
            backed_up: boolean;
            /** Format: date-time */
            created_at: string;
            /** Format: uuid */
            id: string;
            /** @example My phone */
            name: string;
            /** Format: date-time */
            used_at: string;
        };
        /** @description What to hand to the browser. */
        PasskeyCreation: {
            /**
             * Format: int64
             * @description Seconds.
             * @example 300
             */
            expires_in: number;
            public_key: components["schemas"]["PublicKeyCredentialCreationOptions"];
        };
        PasskeyList: {
            items: components["schemas"]["Passkey"][];
            /** @description Always null: an account has twenty at most. */
            next: string | null;
        };
        /**
         * @description What the passkey is to be shown for.
         * @enum {string}
         */
        PasskeyPurpose: "sign_in" | "step_up";
        PasskeyRename: {
            /** @example Old phone */
            name: string;
        };
        /** @description What to hand to the browser. */
        PasskeyRequest: {
            /**
             * Format: int64
             * @description Seconds.
             * @example 300
             */
            expires_in: number;
            public_key: components["schemas"]["PublicKeyCredentialRequestOptions"];
        };
        PasskeySignIn: {
            credential: components["schemas"]["AuthenticationResponse"];
        };
        PasskeyStart: {
            purpose?: components["schemas"]["PasskeyPurpose"];
        };
        PasswordChange: {
            /** @description The present one; left out when the account has none. */
            current?: string | null;
            /**
             * @description The new one: at least 15 characters, at most 256.
             * @example four plain words do
             */
            password: string;
        };
        PendingEmail: {
            /** @example ann@example.net */
            email: string;
            /** Format: date-time */
            expires_at: string;
            /**
             * @description Whose codes were not typed yet: `new`, `old`, or both.
             * @example [
             *       "new",
             *       "old"
             *     ]
             */
            waiting_for: string[];
        };
        /** @description A place of the gazetteer. Place data © GeoNames (CC BY 4.0), modified. */
        Place: {
            /**
             * @description First-level area: state, province, region.
             * @example Lisbon
             */
            admin1: string | null;
            /** @example Portugal */
            country: string;
            /**
             * @description ISO 3166-1 alpha-2.
             * @example PT
             */
            country_code: string;
            /**
             * Format: int32
             * @description Metres above the sea, of the place's own point; a hint.
             * @example 45
             */
            elevation: number | null;
            /**
             * Format: int32
             * @example 2267057
             */
            id: number;
            /**
             * Format: double
             * @example 38.71667
             */
            lat: number;
            /**
             * Format: double
             * @example -9.13333
             */
            lon: number;
            /** @example Lisbon */
            name: string;
            /**
             * Format: int32
             * @example 517802
             */
            population: number;
            /**
             * @description IANA time zone.
             * @example Europe/Lisbon
             */
            tz: string;
        };
        PlaceList: {
            items: components["schemas"]["Place"][];
            /** @description Always null: a search has one page. */
            next: string | null;
        };
        Point: {
            /**
             * Format: double
             * @example 38.72
             */
            lat: number;
            /**
             * Format: double
             * @example -9.14
             */
            lon: number;
        };
        PointForecast: {
            forecast?: components["schemas"]["Forecast"];
            problem?: components["schemas"]["Problem"];
        };
        /** @description Forecasts of points, in the order asked. */
        PointForecasts: {
            items: components["schemas"]["PointForecast"][];
        };
        /**
         * @description `merge`: the fields that are set win, the others stay. `if_match`: nothing changes unless `base_rev` is the
         *     item's revision.
         * @enum {string}
         */
        PolicyName: "merge" | "if_match";
        Preferences: {
            /**
             * @description Of mail. Taken from `Accept-Language` when somebody registers, and kept when it is left out
             * @example de
             * @enum {string|null}
             */
            language?: "en" | "de" | null;
            /**
             * @description Null for metric
             * @example metric
             * @enum {string|null}
             */
            units?: "metric" | "imperial" | "si" | null;
        };
        /** @description The body of a problem (`application/problem+json`). */
        Problem: {
            /**
             * @description What to send to `/v1/auth/step-up`, with code `insufficient_user_authentication`: any one of these. Empty
             *     where none of them would do: sign in anew.
             * @example [
             *       "password",
             *       "totp"
             *     ]
             */
            accepts?: string[];
            /**
             * @description Stable; what a program should look at.
             * @example invalid_request
             */
            code: string;
            /** @description The favourite as it is, with status 412. */
            current?: components["schemas"]["Favourite"];
            detail: string;
            /** @description Each wrong field. */
            errors?: components["schemas"]["FieldProblem"][];
            /**
             * @description The request's id, also in the header `X-Request-Id`.
             * @example req_5af3107a4000c3d1
             */
            instance: string;
            /**
             * @description Why the cursor cannot be continued from, with status 410: `expired`, `era`, `ahead` or `malformed`.
             * @example expired
             */
            reason?: string;
            /**
             * @description What to read instead, with status 410.
             * @example /v1/favourites
             */
            snapshot?: string;
            /**
             * Format: int32
             * @example 422
             */
            status: number;
            /** @example The request does not fit */
            title: string;
            /**
             * @description Stable; ends in the code with dashes.
             * @example https://fairweather.dev/problems/invalid-request
             */
            type: string;
        };
        Provider: {
            /**
             * @description `oidc`, `google` or `facebook`.
             * @example google
             */
            kind: string;
            /**
             * @description What people know it by.
             * @example Google
             */
            label: string;
            /**
             * @description Its place in the paths below.
             * @example google
             */
            name: string;
        };
        ProviderList: {
            items: components["schemas"]["Provider"][];
            /** @description Always null: there are a few. */
            next: string | null;
        };
        /** @description For `PublicKeyCredential.parseCreationOptionsFromJSON` and then `navigator.credentials.create`. */
        PublicKeyCredentialCreationOptions: {
            /** @example none */
            attestation: string;
            authenticatorSelection: components["schemas"]["AuthenticatorSelectionCriteria"];
            challenge: string;
            excludeCredentials: components["schemas"]["PublicKeyCredentialDescriptor"][];
            pubKeyCredParams: components["schemas"]["PublicKeyCredentialParameters"][];
            rp: components["schemas"]["PublicKeyCredentialRpEntity"];
            /**
             * Format: int64
             * @description Milliseconds.
             * @example 300000
             */
            timeout: number;
            user: components["schemas"]["PublicKeyCredentialUserEntity"];
        };
        /** @description A credential that will do, or that is there already. */
        PublicKeyCredentialDescriptor: {
            id: string;
            transports: string[];
            type: string;
        };
        PublicKeyCredentialParameters: {
            /** Format: int64 */
            alg: number;
            type: string;
        };
        /** @description For `PublicKeyCredential.parseRequestOptionsFromJSON` and then `navigator.credentials.get`. */
        PublicKeyCredentialRequestOptions: {
            /** @description Empty where any passkey for this site will do. */
            allowCredentials: components["schemas"]["PublicKeyCredentialDescriptor"][];
            challenge: string;
            rpId: string;
            /**
             * Format: int64
             * @description Milliseconds.
             * @example 300000
             */
            timeout: number;
            /** @example required */
            userVerification: string;
        };
        PublicKeyCredentialRpEntity: {
            id: string;
            /** @example Fairweather */
            name: string;
        };
        PublicKeyCredentialUserEntity: {
            displayName: string;
            id: string;
            name: string;
        };
        RecoveryCodes: {
            /**
             * @description Ten, each good once; shown this once.
             * @example [
             *       "7Q4KM-2XRAB-C3D4E-5F6G7-H8J9K-M"
             *     ]
             */
            recovery_codes: string[];
        };
        RefreshRequest: {
            refresh_token: string;
        };
        Registration: {
            /**
             * Format: int64
             * @description Seconds.
             * @example 1800
             */
            expires_in: number;
            /** @description Keep it: with the mailed code it completes the registration. */
            registration: string;
        };
        /** @description What `navigator.credentials.create` gave, by `toJSON()`. */
        RegistrationResponse: {
            response: components["schemas"]["AuthenticatorAttestationResponse"];
        };
        /** @description The changes cannot be told. */
        Reset: {
            /**
             * @description `expired`, `era`, `ahead` or `malformed`.
             * @example expired
             */
            reason: string;
            /**
             * @description What to read instead.
             * @example /v1/favourites
             */
            snapshot: string;
        };
        ResetPasswordRequest: {
            /**
             * @description The new one: at least 15 characters, at most 256.
             * @example four plain words do
             */
            password: string;
            /** @description From the mailed link: what stands behind `#token=`. */
            reset: string;
        };
        RevokeRequest: {
            /** @description A refresh token. */
            token: string;
        };
        RoleChange: {
            /** @description `false` takes it. */
            granted: boolean;
            /**
             * @description `operator` or `analyst`.
             * @example analyst
             */
            role: string;
        };
        RolesBody: {
            /**
             * @example [
             *       "user",
             *       "analyst"
             *     ]
             */
            roles: string[];
        };
        /** @description The account has a second factor: answer the challenge at `/v1/auth/mfa`. */
        SecondStep: {
            /** @description Good for one right answer, from the same kind of client. */
            challenge: string;
            /**
             * Format: int64
             * @description Seconds.
             * @example 300
             */
            expires_in: number;
            /**
             * @description What will do, any one of them: `totp`, `passkey`, `recovery_code`.
             * @example [
             *       "totp",
             *       "recovery_code"
             *     ]
             */
            factors: string[];
            /** @description Always true. */
            mfa_required: boolean;
            public_key: components["schemas"]["PublicKeyCredentialRequestOptions"] | null;
        };
        /** @description The challenge, and one second factor. */
        SecondStepRequest: {
            challenge: string;
            /**
             * @description Of the authenticator app.
             * @example 287082
             */
            code?: string | null;
            credential?: components["schemas"]["AuthenticationResponse"] | null;
            /**
             * @description As it was shown; case, spaces and dashes do not matter.
             * @example 7Q4KM-2XRAB-C3D4E-5F6G7-H8J9K-M
             */
            recovery_code?: string | null;
        };
        /** @description One device that is signed in. */
        Session: {
            /** @example Firefox */
            app: string | null;
            /** Format: date-time */
            created_at: string;
            /** @description Whether this request was made with it. */
            current: boolean;
            /**
             * @description What the device calls itself: good for recognising it, proof of nothing.
             * @example Firefox on Linux
             */
            device: string | null;
            /**
             * Format: date-time
             * @description When it ends by itself, if it is not used before.
             */
            expires_at: string;
            /** Format: uuid */
            id: string;
            /**
             * @description `cookie` for the web app, `bearer` for whoever keeps tokens.
             * @example cookie
             */
            kind: string;
            /**
             * @description What its holder proved: `pwd`, …
             * @example [
             *       "pwd"
             *     ]
             */
            proofs: string[];
            /**
             * Format: date-time
             * @description Last seen; noted once an hour for a cookie, at each refresh for tokens.
             */
            seen_at: string;
        };
        /** @description Sessions, those that began last first. */
        Sessions: {
            items: components["schemas"]["Session"][];
            /**
             * Format: uuid
             * @description Give it as `after` for the next page; null on the last.
             */
            next: string | null;
        };
        /** @description Tokens, or what is missing for them. */
        SignInAnswer: components["schemas"]["Tokens"] | components["schemas"]["SecondStep"];
        SignedRequest: {
            /** @description Signed by Facebook with the app's secret. */
            signed_request: string;
        };
        /** @description One proof, of those that `accepts` named. */
        StepUpRequest: {
            /**
             * @description Of the authenticator app.
             * @example 287082
             */
            code?: string | null;
            credential?: components["schemas"]["AuthenticationResponse"] | null;
            password?: string | null;
        };
        /** @description `forecast`: the weather of these favourites looks different now; fetch it. */
        StreamForecast: {
            favourites: string[];
            /**
             * Format: date-time
             * @description When the provider computed the newest of it, or when it was fetched from one that does not say.
             * @example 2026-11-21T09:28:16Z
             */
            issued_at: string;
        };
        /** @description `hello`: where the stream stands, at its beginning and after each `reset`. */
        StreamHello: {
            /** @example v1.2851.57 */
            cursor: string;
            /**
             * Format: int64
             * @description Seconds between two signs of life on a stream where nothing happens.
             * @example 20
             */
            heartbeat_s: number;
        };
        /** @description `reset`: the changes since the client's cursor cannot be told; it takes the snapshot. */
        StreamReset: {
            /**
             * @description `expired`, `era`, `ahead` or `malformed`.
             * @example expired
             */
            reason: string;
        };
        /** @description `session`: the stream ends, or `expiring`: within a minute. */
        StreamSession: {
            /**
             * @description `expiring`, `expired`, `revoked` or `replaced`.
             * @example expiring
             */
            state: string;
        };
        /** @description What opens one stream. */
        StreamTicket: {
            /**
             * Format: int64
             * @description Seconds for which it is good.
             * @example 30
             */
            expires_in: number;
            /**
             * @description For `?ticket=`; good once.
             * @example 3q2-7wXkq0hBv0jYk1rXo2m5u8zTgP4cW6sLfN9dAbE
             */
            ticket: string;
        };
        /** @description What a device did, and how far it knows the log. */
        Sync: {
            /**
             * Format: uuid
             * @description Made by the client, one per installation: what one device did is no news to itself.
             */
            device: string;
            /** @description In the order in which they were made. */
            mutations: components["schemas"]["Mutation"][];
            /**
             * @description The device's cursor; null when it is about to take the snapshot.
             * @example v1.2851.41
             */
            since?: string | null;
        };
        /** @description What became of a batch. */
        SyncResult: {
            delta: components["schemas"]["Delta"] | null;
            reset: components["schemas"]["Reset"] | null;
            /** @description One per mutation, in their order. */
            results: components["schemas"]["MutationResult"][];
        };
        /** @description What a signed-in client keeps. Our own web page gets a cookie instead, and no tokens. */
        Tokens: {
            /** @description JWT (ES256), for `Authorization: Bearer`. */
            access_token: string;
            /** Format: uuid */
            account_id: string;
            /**
             * @description After a password was typed. Keep it for a year, whoever is signed in, and send it with the next sign-in: failures
             *     of strangers do not slow down a device that is known. The web app gets a cookie instead.
             * @example dt1.q83v…
             */
            device_token?: string;
            /**
             * Format: int64
             * @description Seconds.
             * @example 600
             */
            expires_in: number;
            /**
             * @description Exchange it at `/v1/auth/refresh`, once.
             * @example rt1.AZ3x…
             */
            refresh_token: string;
            /** Format: uuid */
            session_id: string;
            /** @example Bearer */
            token_type: string;
        };
        TotpConfirmation: {
            /**
             * @description What the app shows now.
             * @example 287082
             */
            code: string;
        };
        TotpFactor: {
            /** Format: date-time */
            created_at: string;
        };
        /** @description What to show the person: the address as a QR code, or the secret to type. */
        TotpSetup: {
            /**
             * Format: int64
             * @description Seconds.
             * @example 600
             */
            expires_in: number;
            /** @example otpauth://totp/Fairweather:ann%40example.org?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ&issuer=Fairweather&algorithm=SHA1&digits=6&period=30 */
            otpauth_uri: string;
            /**
             * @description Base 32.
             * @example GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ
             */
            secret: string;
        };
        /** @description A WMO 4677 code of the kind forecasts carry. */
        WeatherCode: {
            /**
             * Format: int32
             * @example 61
             */
            code: number;
            /**
             * @description Name of a symbol; the web app draws one for each.
             * @example rain
             */
            icon: string;
            /** @example slight rain */
            text: string;
        };
        WeatherCodeList: {
            items: components["schemas"]["WeatherCode"][];
            next: string | null;
        };
        Webhook: {
            /** Format: date-time */
            created_at: string;
            /** @example Newsletter */
            description: string | null;
            /**
             * @example [
             *       "account.deleted"
             *     ]
             */
            events: string[];
            /**
             * Format: date-time
             * @description Since when every try has failed.
             */
            failing_since: string | null;
            /** Format: uuid */
            id: string;
            /**
             * Format: date-time
             * @description Until when the secret before the present one signs as well.
             */
            rotating_until: string | null;
            /**
             * @description `enabled`, `disabled`, or `failed` when it was given up after failing for five days.
             * @example enabled
             */
            state: string;
            /** @example https://hooks.example.org/fairweather */
            url: string;
        };
        /** @description Deliveries of the last thirty days, the newest first. */
        WebhookDeliveries: {
            items: components["schemas"]["WebhookDelivery"][];
            /**
             * Format: uuid
             * @description Give it as `after` for older ones; null at the end.
             */
            next: string | null;
        };
        /** @description One event for one webhook. */
        WebhookDelivery: {
            /** Format: date-time */
            created_at: string;
            /** @example account.deleted */
            event: string;
            /**
             * @description The header `webhook-id`, the same however often it is sent.
             * @example msg_0199aaaabbbb7ccc8dddeeeeeeeeeeee
             */
            event_id: string;
            /** @description `status`, `redirect`, `blocked`, `timeout`, `unreachable`, `too_large`, `broken` or `webhook_disabled`. */
            fault: string | null;
            /** Format: uuid */
            id: string;
            /**
             * Format: date-time
             * @description When it is tried next, while it waits.
             */
            next_try_at: string | null;
            /**
             * @description `waiting`, `delivered` or `failed`.
             * @example delivered
             */
            state: string;
            /**
             * Format: int64
             * @description Of the last answer.
             * @example 204
             */
            status: number | null;
            /** Format: date-time */
            tried_at: string | null;
            /**
             * Format: int64
             * @example 1
             */
            tries: number;
        };
        /** @description What is left out stays. */
        WebhookPatch: {
            description?: string | null;
            /** @description `true` also for one that was given up. */
            enabled?: boolean | null;
            events?: string[] | null;
            url?: string | null;
        };
        /** @description A webhook with its secret, which is shown this once. */
        WebhookWithSecret: components["schemas"]["Webhook"] & {
            /**
             * @description For the signatures of the Standard Webhooks.
             * @example whsec_…
             */
            secret: string;
        };
        Webhooks: {
            items: components["schemas"]["Webhook"][];
            /**
             * Format: uuid
             * @description Always null: there are twenty at most.
             */
            next: string | null;
        };
    };
    responses: {
        /** @description The body is larger than 64 KiB (256 KiB for a batch) */
        BodyTooLarge: {
            headers: {
                [name: string]: unknown;
            };
            content: {
                "application/problem+json": components["schemas"]["Problem"];
            };
        };
        /** @description It was changed meanwhile; `current` is what is there now */
        ConditionFailed: {
            headers: {
                [name: string]: unknown;
            };
            content: {
                "application/problem+json": components["schemas"]["Problem"];
            };
        };
        /** @description The present state does not allow this; `code` says why */
        Conflict: {
            headers: {
                [name: string]: unknown;
            };
            content: {
                "application/problem+json": components["schemas"]["Problem"];
            };
        };
        /** @description The changes since the cursor cannot be told; `reason` says why */
        CursorExpired: {
            headers: {
                [name: string]: unknown;
            };
            content: {
                "application/problem+json": components["schemas"]["Problem"];
            };
        };
        /** @description The web app's session was used from another origin, or a key that does not open this */
        Forbidden: {
            headers: {
                [name: string]: unknown;
            };
            content: {
                "application/problem+json": components["schemas"]["Problem"];
            };
        };
        /** @description Something broke on our side; it was noted */
        Internal: {
            headers: {
                [name: string]: unknown;
            };
            content: {
                "application/problem+json": components["schemas"]["Problem"];
            };
        };
        /** @description Something does not fit; `errors` points at each field */
        Invalid: {
            headers: {
                [name: string]: unknown;
            };
            content: {
                "application/problem+json": components["schemas"]["Problem"];
            };
        };
        /** @description The body is not JSON, or could not be read */
        Malformed: {
            headers: {
                [name: string]: unknown;
            };
            content: {
                "application/problem+json": components["schemas"]["Problem"];
            };
        };
        /** @description There is nothing here, or it is not yours */
        NotFound: {
            headers: {
                [name: string]: unknown;
            };
            content: {
                "application/problem+json": components["schemas"]["Problem"];
            };
        };
        /** @description The body is not declared as JSON */
        NotJson: {
            headers: {
                [name: string]: unknown;
            };
            content: {
                "application/problem+json": components["schemas"]["Problem"];
            };
        };
        /** @description A limit is reached */
        TooManyRequests: {
            headers: {
                /** @description Seconds to wait before the next try */
                "Retry-After"?: string;
                [name: string]: unknown;
            };
            content: {
                "application/problem+json": components["schemas"]["Problem"];
            };
        };
        /** @description No credential, or one that does not count (any more) */
        Unauthenticated: {
            headers: {
                /** @description What kind of credential is missing */
                "WWW-Authenticate"?: string;
                [name: string]: unknown;
            };
            content: {
                "application/problem+json": components["schemas"]["Problem"];
            };
        };
        /** @description Not available just now; try again */
        Unavailable: {
            headers: {
                /** @description Seconds to wait before the next try */
                "Retry-After"?: string;
                [name: string]: unknown;
            };
            content: {
                "application/problem+json": components["schemas"]["Problem"];
            };
        };
    };
    parameters: never;
    requestBodies: never;
    headers: never;
    pathItems: never;
}
export type $defs = Record<string, never>;
export interface operations {
    getSigningKeys: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description A JSON Web Key Set */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": unknown;
                };
            };
            500: components["responses"]["Internal"];
            503: components["responses"]["Unavailable"];
        };
    };
    getSecurityContact: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The contact */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "text/plain": string;
                };
            };
            404: components["responses"]["NotFound"];
            500: components["responses"]["Internal"];
            503: components["responses"]["Unavailable"];
        };
    };
    getHealth: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Alive */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "text/plain": string;
                };
            };
            500: components["responses"]["Internal"];
            503: components["responses"]["Unavailable"];
        };
    };
    getReadiness: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Ready */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "text/plain": string;
                };
            };
            500: components["responses"]["Internal"];
            503: components["responses"]["Unavailable"];
        };
    };
    startAnonymously: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** @description May be left out */
        requestBody?: {
            content: {
                "application/json": Record<string, never>;
            };
        };
        responses: {
            /** @description The new account */
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Tokens"];
                };
            };
            /** @description The web app: a session cookie was set */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            400: components["responses"]["Malformed"];
            401: components["responses"]["Unauthenticated"];
            403: components["responses"]["Forbidden"];
            413: components["responses"]["BodyTooLarge"];
            415: components["responses"]["NotJson"];
            422: components["responses"]["Invalid"];
            429: components["responses"]["TooManyRequests"];
            500: components["responses"]["Internal"];
            503: components["responses"]["Unavailable"];
        };
    };
    signIn: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["LoginRequest"];
            };
        };
        responses: {
            /** @description Signed in, or a second factor is needed */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["SignInAnswer"];
                };
            };
            /** @description The web app: a session cookie was set */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            400: components["responses"]["Malformed"];
            401: components["responses"]["Unauthenticated"];
            403: components["responses"]["Forbidden"];
            413: components["responses"]["BodyTooLarge"];
            415: components["responses"]["NotJson"];
            422: components["responses"]["Invalid"];
            429: components["responses"]["TooManyRequests"];
            500: components["responses"]["Internal"];
            503: components["responses"]["Unavailable"];
        };
    };
    signOut: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** @description May be left out */
        requestBody?: {
            content: {
                "application/json": components["schemas"]["LogoutRequest"];
            };
        };
        responses: {
            /** @description The session has ended */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            400: components["responses"]["Malformed"];
            401: components["responses"]["Unauthenticated"];
            403: components["responses"]["Forbidden"];
            409: components["responses"]["Conflict"];
            413: components["responses"]["BodyTooLarge"];
            415: components["responses"]["NotJson"];
            422: components["responses"]["Invalid"];
            429: components["responses"]["TooManyRequests"];
            500: components["responses"]["Internal"];
            503: components["responses"]["Unavailable"];
        };
    };
    signInWithSecondFactor: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["SecondStepRequest"];
            };
        };
        responses: {
            /** @description Signed in */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Tokens"];
                };
            };
            /** @description The web app: a session cookie was set */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            400: components["responses"]["Malformed"];
            401: components["responses"]["Unauthenticated"];
            403: components["responses"]["Forbidden"];
            413: components["responses"]["BodyTooLarge"];
            415: components["responses"]["NotJson"];
            422: components["responses"]["Invalid"];
            429: components["responses"]["TooManyRequests"];
            500: components["responses"]["Internal"];
            503: components["responses"]["Unavailable"];
        };
    };
    finishOauth: {
        parameters: {
            query?: {
                state?: string;
                code?: string;
                error?: string;
                /** @description Who answers (RFC 9207). */
                iss?: string;
            };
            header?: never;
            path: {
                /** @description As listed */
                provider: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description To the page or app where this began */
            303: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            401: components["responses"]["Unauthenticated"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["NotFound"];
            422: components["responses"]["Invalid"];
            429: components["responses"]["TooManyRequests"];
            500: components["responses"]["Internal"];
            503: components["responses"]["Unavailable"];
        };
    };
    facebookDeauthorize: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description A provider of the kind `facebook` */
                provider: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/x-www-form-urlencoded": components["schemas"]["SignedRequest"];
            };
        };
        responses: {
            /** @description Done */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            400: components["responses"]["Malformed"];
            401: components["responses"]["Unauthenticated"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["NotFound"];
            413: components["responses"]["BodyTooLarge"];
            415: components["responses"]["NotJson"];
            422: components["responses"]["Invalid"];
            500: components["responses"]["Internal"];
            503: components["responses"]["Unavailable"];
        };
    };
    facebookDeletion: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description A provider of the kind `facebook` */
                provider: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/x-www-form-urlencoded": components["schemas"]["SignedRequest"];
            };
        };
        responses: {
            /** @description Done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["DeletionConfirmation"];
                };
            };
            400: components["responses"]["Malformed"];
            401: components["responses"]["Unauthenticated"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["NotFound"];
            413: components["responses"]["BodyTooLarge"];
            415: components["responses"]["NotJson"];
            422: components["responses"]["Invalid"];
            500: components["responses"]["Internal"];
            503: components["responses"]["Unavailable"];
        };
    };
    facebookDeletionState: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description A provider of the kind `facebook` */
                provider: string;
                /** @description As Facebook was told */
                code: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Its state */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["DeletionState"];
                };
            };
            401: components["responses"]["Unauthenticated"];
            404: components["responses"]["NotFound"];
            500: components["responses"]["Internal"];
            503: components["responses"]["Unavailable"];
        };
    };
    startOauth: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description As listed */
                provider: string;
            };
            cookie?: never;
        };
        /** @description May be left out */
        requestBody?: {
            content: {
                "application/json": components["schemas"]["OauthStart"];
            };
        };
        responses: {
            /** @description What to do next */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["OauthStarted"];
                };
            };
            400: components["responses"]["Malformed"];
            401: components["responses"]["Unauthenticated"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["NotFound"];
            409: components["responses"]["Conflict"];
            413: components["responses"]["BodyTooLarge"];
            415: components["responses"]["NotJson"];
            422: components["responses"]["Invalid"];
            429: components["responses"]["TooManyRequests"];
            500: components["responses"]["Internal"];
            503: components["responses"]["Unavailable"];
        };
    };
    exchangeOauth: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description As listed */
                provider: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["OauthGrant"];
            };
        };
        responses: {
            /** @description Signed in, or stepped up: tokens of that session */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Tokens"];
                };
            };
            /** @description Linked; or the web app: a session cookie was set */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            400: components["responses"]["Malformed"];
            401: components["responses"]["Unauthenticated"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["NotFound"];
            409: components["responses"]["Conflict"];
            413: components["responses"]["BodyTooLarge"];
            415: components["responses"]["NotJson"];
            422: components["responses"]["Invalid"];
            429: components["responses"]["TooManyRequests"];
            500: components["responses"]["Internal"];
            503: components["responses"]["Unavailable"];
        };
    };
    signInWithPasskey: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["PasskeySignIn"];
            };
        };
        responses: {
            /** @description Signed in */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Tokens"];
                };
            };
            /** @description The web app: a session cookie was set */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            400: components["responses"]["Malformed"];
            401: components["responses"]["Unauthenticated"];
            403: components["responses"]["Forbidden"];
            413: components["responses"]["BodyTooLarge"];
            415: components["responses"]["NotJson"];
            422: components["responses"]["Invalid"];
            429: components["responses"]["TooManyRequests"];
            500: components["responses"]["Internal"];
            503: components["responses"]["Unavailable"];
        };
    };
    startPasskeySignIn: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** @description May be left out */
        requestBody?: {
            content: {
                "application/json": components["schemas"]["PasskeyStart"];
            };
        };
        responses: {
            /** @description What to hand to the browser */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["PasskeyRequest"];
                };
            };
            400: components["responses"]["Malformed"];
            401: components["responses"]["Unauthenticated"];
            403: components["responses"]["Forbidden"];
            413: components["responses"]["BodyTooLarge"];
            415: components["responses"]["NotJson"];
            422: components["responses"]["Invalid"];
            429: components["responses"]["TooManyRequests"];
            500: components["responses"]["Internal"];
            503: components["responses"]["Unavailable"];
        };
    };
    forgotPassword: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["ForgotPasswordRequest"];
            };
        };
        responses: {
            /** @description A link is on its way, if the address has an account */
            202: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            400: components["responses"]["Malformed"];
            401: components["responses"]["Unauthenticated"];
            403: components["responses"]["Forbidden"];
            413: components["responses"]["BodyTooLarge"];
            415: components["responses"]["NotJson"];
            422: components["responses"]["Invalid"];
            429: components["responses"]["TooManyRequests"];
            500: components["responses"]["Internal"];
            503: components["responses"]["Unavailable"];
        };
    };
    resetPassword: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["ResetPasswordRequest"];
            };
        };
        responses: {
            /** @description The new password counts */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            400: components["responses"]["Malformed"];
            401: components["responses"]["Unauthenticated"];
            403: components["responses"]["Forbidden"];
            413: components["responses"]["BodyTooLarge"];
            415: components["responses"]["NotJson"];
            422: components["responses"]["Invalid"];
            429: components["responses"]["TooManyRequests"];
            500: components["responses"]["Internal"];
            503: components["responses"]["Unavailable"];
        };
    };
    listProviders: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description In the order of their names */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ProviderList"];
                };
            };
            401: components["responses"]["Unauthenticated"];
            500: components["responses"]["Internal"];
            503: components["responses"]["Unavailable"];
        };
    };
    refreshTokens: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["RefreshRequest"];
            };
        };
        responses: {
            /** @description The next pair */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Tokens"];
                };
            };
            400: components["responses"]["Malformed"];
            401: components["responses"]["Unauthenticated"];
            403: components["responses"]["Forbidden"];
            413: components["responses"]["BodyTooLarge"];
            415: components["responses"]["NotJson"];
            422: components["responses"]["Invalid"];
            429: components["responses"]["TooManyRequests"];
            500: components["responses"]["Internal"];
            503: components["responses"]["Unavailable"];
        };
    };
    register: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["Credentials"];
            };
        };
        responses: {
            /** @description A code is on its way, if the address can be mailed */
            202: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Registration"];
                };
            };
            400: components["responses"]["Malformed"];
            401: components["responses"]["Unauthenticated"];
            403: components["responses"]["Forbidden"];
            409: components["responses"]["Conflict"];
            413: components["responses"]["BodyTooLarge"];
            415: components["responses"]["NotJson"];
            422: components["responses"]["Invalid"];
            429: components["responses"]["TooManyRequests"];
            500: components["responses"]["Internal"];
            503: components["responses"]["Unavailable"];
        };
    };
    confirmRegistration: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["Confirmation"];
            };
        };
        responses: {
            /** @description Signed in */
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Tokens"];
                };
            };
            /** @description The web app: a session cookie was set */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            400: components["responses"]["Malformed"];
            401: components["responses"]["Unauthenticated"];
            403: components["responses"]["Forbidden"];
            409: components["responses"]["Conflict"];
            413: components["responses"]["BodyTooLarge"];
            415: components["responses"]["NotJson"];
            422: components["responses"]["Invalid"];
            429: components["responses"]["TooManyRequests"];
            500: components["responses"]["Internal"];
            503: components["responses"]["Unavailable"];
        };
    };
    revokeToken: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["RevokeRequest"];
            };
        };
        responses: {
            /** @description It does not count any more */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            400: components["responses"]["Malformed"];
            401: components["responses"]["Unauthenticated"];
            403: components["responses"]["Forbidden"];
            409: components["responses"]["Conflict"];
            413: components["responses"]["BodyTooLarge"];
            415: components["responses"]["NotJson"];
            422: components["responses"]["Invalid"];
            429: components["responses"]["TooManyRequests"];
            500: components["responses"]["Internal"];
            503: components["responses"]["Unavailable"];
        };
    };
    stepUp: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["StepUpRequest"];
            };
        };
        responses: {
            /** @description Proved; tokens of the same session */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Tokens"];
                };
            };
            /** @description Proved; the web app's cookie stays as it is */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            400: components["responses"]["Malformed"];
            401: components["responses"]["Unauthenticated"];
            403: components["responses"]["Forbidden"];
            413: components["responses"]["BodyTooLarge"];
            415: components["responses"]["NotJson"];
            422: components["responses"]["Invalid"];
            429: components["responses"]["TooManyRequests"];
            500: components["responses"]["Internal"];
            503: components["responses"]["Unavailable"];
        };
    };
    listChanges: {
        parameters: {
            query: {
                /**
                 * @description A cursor: of the snapshot, or `to` of the delta before
                 * @example v1.2851.41
                 */
                since: string;
                /**
                 * @description Changes of one page; 500 when left out
                 * @example 500
                 */
                limit?: number;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The changes */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Delta"];
                };
            };
            401: components["responses"]["Unauthenticated"];
            410: components["responses"]["CursorExpired"];
            422: components["responses"]["Invalid"];
            429: components["responses"]["TooManyRequests"];
            500: components["responses"]["Internal"];
            503: components["responses"]["Unavailable"];
        };
    };
    listFavourites: {
        parameters: {
            query?: {
                /**
                 * @description Favourites of one page: 1 to the account's quota, 200 when left out.
                 * @example 200
                 */
                limit?: number;
                /** @description `next` of the page before. */
                after?: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description A page of favourites */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["FavouritePage"];
                };
            };
            401: components["responses"]["Unauthenticated"];
            422: components["responses"]["Invalid"];
            429: components["responses"]["TooManyRequests"];
            500: components["responses"]["Internal"];
            503: components["responses"]["Unavailable"];
        };
    };
    createFavourite: {
        parameters: {
            query?: never;
            header?: {
                /**
                 * @description Repeats of the request have its effect once, for 24 hours
                 * @example 8e03978e-40d5-43e8-bc93-6894a57f9324
                 */
                "Idempotency-Key"?: string | null;
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["NewFavourite"];
            };
        };
        responses: {
            /** @description Created */
            201: {
                headers: {
                    /** @description `"r<rev>"` */
                    ETag?: string;
                    /** @description Where it is */
                    Location?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["CreatedFavourite"];
                };
            };
            400: components["responses"]["Malformed"];
            401: components["responses"]["Unauthenticated"];
            403: components["responses"]["Forbidden"];
            409: components["responses"]["Conflict"];
            413: components["responses"]["BodyTooLarge"];
            415: components["responses"]["NotJson"];
            422: components["responses"]["Invalid"];
            429: components["responses"]["TooManyRequests"];
            500: components["responses"]["Internal"];
            503: components["responses"]["Unavailable"];
        };
    };
    listFavouriteForecasts: {
        parameters: {
            query?: {
                /**
                 * @description Hours from the present one; at most 384.
                 * @example 12
                 */
                hours?: number;
                /**
                 * @description Days from today; at most 16.
                 * @example 1
                 */
                days?: number;
                units?: "metric" | "imperial" | "si";
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description One item for each favourite, in their order */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["FavouriteForecasts"];
                };
            };
            401: components["responses"]["Unauthenticated"];
            403: components["responses"]["Forbidden"];
            422: components["responses"]["Invalid"];
            429: components["responses"]["TooManyRequests"];
            500: components["responses"]["Internal"];
            503: components["responses"]["Unavailable"];
        };
    };
    getFavourite: {
        parameters: {
            query?: never;
            header?: {
                /** @description ETags that the client has */
                "If-None-Match"?: string | null;
            };
            path: {
                /** @description Of the favourite */
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The favourite */
            200: {
                headers: {
                    /** @description `"r<rev>"` */
                    ETag?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Favourite"];
                };
            };
            /** @description The client has it already */
            304: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            401: components["responses"]["Unauthenticated"];
            404: components["responses"]["NotFound"];
            422: components["responses"]["Invalid"];
            429: components["responses"]["TooManyRequests"];
            500: components["responses"]["Internal"];
            503: components["responses"]["Unavailable"];
        };
    };
    putFavourite: {
        parameters: {
            query?: never;
            header?: {
                /** @description Only if its ETag is one of these */
                "If-Match"?: string | null;
                /** @description `*`: only if there is none yet */
                "If-None-Match"?: string | null;
                /**
                 * @description Repeats of the request have its effect once, for 24 hours
                 * @example 8e03978e-40d5-43e8-bc93-6894a57f9324
                 */
                "Idempotency-Key"?: string | null;
            };
            path: {
                /** @description Made by the client */
                id: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["NewFavourite"];
            };
        };
        responses: {
            /** @description Replaced */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Favourite"];
                };
            };
            /** @description Created */
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["CreatedFavourite"];
                };
            };
            400: components["responses"]["Malformed"];
            401: components["responses"]["Unauthenticated"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["NotFound"];
            409: components["responses"]["Conflict"];
            412: components["responses"]["ConditionFailed"];
            413: components["responses"]["BodyTooLarge"];
            415: components["responses"]["NotJson"];
            422: components["responses"]["Invalid"];
            429: components["responses"]["TooManyRequests"];
            500: components["responses"]["Internal"];
            503: components["responses"]["Unavailable"];
        };
    };
    deleteFavourite: {
        parameters: {
            query?: never;
            header?: {
                /** @description Only if its ETag is one of these */
                "If-Match"?: string | null;
                /**
                 * @description Repeats of the request have its effect once, for 24 hours
                 * @example 8e03978e-40d5-43e8-bc93-6894a57f9324
                 */
                "Idempotency-Key"?: string | null;
            };
            path: {
                /** @description Of the favourite */
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Removed */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            401: components["responses"]["Unauthenticated"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["NotFound"];
            409: components["responses"]["Conflict"];
            412: components["responses"]["ConditionFailed"];
            422: components["responses"]["Invalid"];
            429: components["responses"]["TooManyRequests"];
            500: components["responses"]["Internal"];
            503: components["responses"]["Unavailable"];
        };
    };
    patchFavourite: {
        parameters: {
            query?: never;
            header?: {
                /** @description Only if its ETag is one of these */
                "If-Match"?: string | null;
                /**
                 * @description Repeats of the request have its effect once, for 24 hours
                 * @example 8e03978e-40d5-43e8-bc93-6894a57f9324
                 */
                "Idempotency-Key"?: string | null;
            };
            path: {
                /** @description Of the favourite */
                id: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["FavouritePatch"];
                "application/merge-patch+json": components["schemas"]["FavouritePatch"];
            };
        };
        responses: {
            /** @description The favourite as it is now */
            200: {
                headers: {
                    /** @description `"r<rev>"` */
                    ETag?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Favourite"];
                };
            };
            400: components["responses"]["Malformed"];
            401: components["responses"]["Unauthenticated"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["NotFound"];
            409: components["responses"]["Conflict"];
            412: components["responses"]["ConditionFailed"];
            413: components["responses"]["BodyTooLarge"];
            415: components["responses"]["NotJson"];
            422: components["responses"]["Invalid"];
            429: components["responses"]["TooManyRequests"];
            500: components["responses"]["Internal"];
            503: components["responses"]["Unavailable"];
        };
    };
    getFavouriteForecast: {
        parameters: {
            query?: {
                /**
                 * @description Hours from the present one; at most 384.
                 * @example 12
                 */
                hours?: number;
                /**
                 * @description Days from today; at most 16.
                 * @example 1
                 */
                days?: number;
                units?: "metric" | "imperial" | "si";
            };
            header?: never;
            path: {
                /** @description Of the favourite */
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The forecast */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Forecast"];
                };
            };
            401: components["responses"]["Unauthenticated"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["NotFound"];
            422: components["responses"]["Invalid"];
            429: components["responses"]["TooManyRequests"];
            500: components["responses"]["Internal"];
            503: components["responses"]["Unavailable"];
        };
    };
    getPointForecasts: {
        parameters: {
            query?: {
                /**
                 * @description Hours from the present one; at most 384.
                 * @example 12
                 */
                hours?: number;
                /**
                 * @description Days from today; at most 16.
                 * @example 1
                 */
                days?: number;
                units?: "metric" | "imperial" | "si";
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["ForecastsRequest"];
            };
        };
        responses: {
            /** @description One item for each point, in their order */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["PointForecasts"];
                };
            };
            400: components["responses"]["Malformed"];
            401: components["responses"]["Unauthenticated"];
            403: components["responses"]["Forbidden"];
            413: components["responses"]["BodyTooLarge"];
            415: components["responses"]["NotJson"];
            422: components["responses"]["Invalid"];
            429: components["responses"]["TooManyRequests"];
            500: components["responses"]["Internal"];
            503: components["responses"]["Unavailable"];
        };
    };
    getMe: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The account */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Me"];
                };
            };
            401: components["responses"]["Unauthenticated"];
            429: components["responses"]["TooManyRequests"];
            500: components["responses"]["Internal"];
            503: components["responses"]["Unavailable"];
        };
    };
    deleteAccount: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Removed */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            401: components["responses"]["Unauthenticated"];
            403: components["responses"]["Forbidden"];
            429: components["responses"]["TooManyRequests"];
            500: components["responses"]["Internal"];
            503: components["responses"]["Unavailable"];
        };
    };
    adoptAccount: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** @description May be left out */
        requestBody?: {
            content: {
                "application/json": components["schemas"]["AdoptRequest"];
            };
        };
        responses: {
            /** @description What became of its favourites */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Adopted"];
                };
            };
            400: components["responses"]["Malformed"];
            401: components["responses"]["Unauthenticated"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["NotFound"];
            409: components["responses"]["Conflict"];
            413: components["responses"]["BodyTooLarge"];
            415: components["responses"]["NotJson"];
            422: components["responses"]["Invalid"];
            429: components["responses"]["TooManyRequests"];
            500: components["responses"]["Internal"];
            503: components["responses"]["Unavailable"];
        };
    };
    getEmail: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The address */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["EmailAddress"];
                };
            };
            401: components["responses"]["Unauthenticated"];
            429: components["responses"]["TooManyRequests"];
            500: components["responses"]["Internal"];
            503: components["responses"]["Unavailable"];
        };
    };
    changeEmail: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["EmailChange"];
            };
        };
        responses: {
            /** @description Codes are on their way */
            202: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["EmailAddress"];
                };
            };
            400: components["responses"]["Malformed"];
            401: components["responses"]["Unauthenticated"];
            403: components["responses"]["Forbidden"];
            409: components["responses"]["Conflict"];
            413: components["responses"]["BodyTooLarge"];
            415: components["responses"]["NotJson"];
            422: components["responses"]["Invalid"];
            429: components["responses"]["TooManyRequests"];
            500: components["responses"]["Internal"];
            503: components["responses"]["Unavailable"];
        };
    };
    cancelEmailChange: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description No change is pending */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            401: components["responses"]["Unauthenticated"];
            403: components["responses"]["Forbidden"];
            429: components["responses"]["TooManyRequests"];
            500: components["responses"]["Internal"];
            503: components["responses"]["Unavailable"];
        };
    };
    confirmEmail: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["EmailConfirmation"];
            };
        };
        responses: {
            /** @description The address as it is now */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["EmailAddress"];
                };
            };
            400: components["responses"]["Malformed"];
            401: components["responses"]["Unauthenticated"];
            403: components["responses"]["Forbidden"];
            413: components["responses"]["BodyTooLarge"];
            415: components["responses"]["NotJson"];
            422: components["responses"]["Invalid"];
            429: components["responses"]["TooManyRequests"];
            500: components["responses"]["Internal"];
            503: components["responses"]["Unavailable"];
        };
    };
    exportAccount: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The archive */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/zip": number[];
                };
            };
            401: components["responses"]["Unauthenticated"];
            429: components["responses"]["TooManyRequests"];
            500: components["responses"]["Internal"];
            503: components["responses"]["Unavailable"];
        };
    };
    listFactors: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description What is asked for beside a password or a provider */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["FactorList"];
                };
            };
            401: components["responses"]["Unauthenticated"];
            429: components["responses"]["TooManyRequests"];
            500: components["responses"]["Internal"];
            503: components["responses"]["Unavailable"];
        };
    };
    makeRecoveryCodes: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Ten codes */
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["RecoveryCodes"];
                };
            };
            401: components["responses"]["Unauthenticated"];
            403: components["responses"]["Forbidden"];
            409: components["responses"]["Conflict"];
            429: components["responses"]["TooManyRequests"];
            500: components["responses"]["Internal"];
            503: components["responses"]["Unavailable"];
        };
    };
    setUpTotp: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description What to show the person */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["TotpSetup"];
                };
            };
            401: components["responses"]["Unauthenticated"];
            403: components["responses"]["Forbidden"];
            409: components["responses"]["Conflict"];
            429: components["responses"]["TooManyRequests"];
            500: components["responses"]["Internal"];
            503: components["responses"]["Unavailable"];
        };
    };
    removeTotp: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Its codes count no more */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            401: components["responses"]["Unauthenticated"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["NotFound"];
            409: components["responses"]["Conflict"];
            429: components["responses"]["TooManyRequests"];
            500: components["responses"]["Internal"];
            503: components["responses"]["Unavailable"];
        };
    };
    confirmTotp: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["TotpConfirmation"];
            };
        };
        responses: {
            /** @description Codes of the app count */
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ConfirmedTotp"];
                };
            };
            400: components["responses"]["Malformed"];
            401: components["responses"]["Unauthenticated"];
            403: components["responses"]["Forbidden"];
            409: components["responses"]["Conflict"];
            413: components["responses"]["BodyTooLarge"];
            415: components["responses"]["NotJson"];
            422: components["responses"]["Invalid"];
            429: components["responses"]["TooManyRequests"];
            500: components["responses"]["Internal"];
            503: components["responses"]["Unavailable"];
        };
    };
    listIdentities: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description All of them, oldest first */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["IdentityList"];
                };
            };
            401: components["responses"]["Unauthenticated"];
            429: components["responses"]["TooManyRequests"];
            500: components["responses"]["Internal"];
            503: components["responses"]["Unavailable"];
        };
    };
    removeIdentity: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description As listed */
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Removed */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            401: components["responses"]["Unauthenticated"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["NotFound"];
            409: components["responses"]["Conflict"];
            429: components["responses"]["TooManyRequests"];
            500: components["responses"]["Internal"];
            503: components["responses"]["Unavailable"];
        };
    };
    listOwnApiKeys: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The keys */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ApiKeys"];
                };
            };
            401: components["responses"]["Unauthenticated"];
            429: components["responses"]["TooManyRequests"];
            500: components["responses"]["Internal"];
            503: components["responses"]["Unavailable"];
        };
    };
    listPasskeys: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description All of them, oldest first */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["PasskeyList"];
                };
            };
            401: components["responses"]["Unauthenticated"];
            429: components["responses"]["TooManyRequests"];
            500: components["responses"]["Internal"];
            503: components["responses"]["Unavailable"];
        };
    };
    addPasskey: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["NewPasskeyRequest"];
            };
        };
        responses: {
            /** @description It counts */
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["AddedPasskey"];
                };
            };
            400: components["responses"]["Malformed"];
            401: components["responses"]["Unauthenticated"];
            403: components["responses"]["Forbidden"];
            409: components["responses"]["Conflict"];
            413: components["responses"]["BodyTooLarge"];
            415: components["responses"]["NotJson"];
            422: components["responses"]["Invalid"];
            429: components["responses"]["TooManyRequests"];
            500: components["responses"]["Internal"];
            503: components["responses"]["Unavailable"];
        };
    };
    startPasskey: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description What to hand to the browser */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["PasskeyCreation"];
                };
            };
            401: components["responses"]["Unauthenticated"];
            403: components["responses"]["Forbidden"];
            409: components["responses"]["Conflict"];
            429: components["responses"]["TooManyRequests"];
            500: components["responses"]["Internal"];
            503: components["responses"]["Unavailable"];
        };
    };
    removePasskey: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description It leads here no longer */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            401: components["responses"]["Unauthenticated"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["NotFound"];
            409: components["responses"]["Conflict"];
            429: components["responses"]["TooManyRequests"];
            500: components["responses"]["Internal"];
            503: components["responses"]["Unavailable"];
        };
    };
    renamePasskey: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["PasskeyRename"];
            };
        };
        responses: {
            /** @description As it is now */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Passkey"];
                };
            };
            400: components["responses"]["Malformed"];
            401: components["responses"]["Unauthenticated"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["NotFound"];
            413: components["responses"]["BodyTooLarge"];
            415: components["responses"]["NotJson"];
            422: components["responses"]["Invalid"];
            429: components["responses"]["TooManyRequests"];
            500: components["responses"]["Internal"];
            503: components["responses"]["Unavailable"];
        };
    };
    changePassword: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["PasswordChange"];
            };
        };
        responses: {
            /** @description The new password counts */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            400: components["responses"]["Malformed"];
            401: components["responses"]["Unauthenticated"];
            403: components["responses"]["Forbidden"];
            409: components["responses"]["Conflict"];
            413: components["responses"]["BodyTooLarge"];
            415: components["responses"]["NotJson"];
            422: components["responses"]["Invalid"];
            429: components["responses"]["TooManyRequests"];
            500: components["responses"]["Internal"];
            503: components["responses"]["Unavailable"];
        };
    };
    setPreferences: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["Preferences"];
            };
        };
        responses: {
            /** @description Kept */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            400: components["responses"]["Malformed"];
            401: components["responses"]["Unauthenticated"];
            403: components["responses"]["Forbidden"];
            413: components["responses"]["BodyTooLarge"];
            415: components["responses"]["NotJson"];
            422: components["responses"]["Invalid"];
            429: components["responses"]["TooManyRequests"];
            500: components["responses"]["Internal"];
            503: components["responses"]["Unavailable"];
        };
    };
    listSessions: {
        parameters: {
            query?: {
                /** @description `next` of the page before. */
                after?: string;
                /** @example 50 */
                limit?: number;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description A page of sessions */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Sessions"];
                };
            };
            401: components["responses"]["Unauthenticated"];
            422: components["responses"]["Invalid"];
            429: components["responses"]["TooManyRequests"];
            500: components["responses"]["Internal"];
            503: components["responses"]["Unavailable"];
        };
    };
    endOtherSessions: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description How many have ended */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["EndedSessions"];
                };
            };
            401: components["responses"]["Unauthenticated"];
            403: components["responses"]["Forbidden"];
            429: components["responses"]["TooManyRequests"];
            500: components["responses"]["Internal"];
            503: components["responses"]["Unavailable"];
        };
    };
    endSession: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description Of the list */
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description It has ended */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            401: components["responses"]["Unauthenticated"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["NotFound"];
            409: components["responses"]["Conflict"];
            429: components["responses"]["TooManyRequests"];
            500: components["responses"]["Internal"];
            503: components["responses"]["Unavailable"];
        };
    };
    listAccounts: {
        parameters: {
            query?: {
                /** @description `next` of the page before. */
                after?: string;
                /** @example 50 */
                limit?: number;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description A page of accounts */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Accounts"];
                };
            };
            401: components["responses"]["Unauthenticated"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["NotFound"];
            422: components["responses"]["Invalid"];
            429: components["responses"]["TooManyRequests"];
            500: components["responses"]["Internal"];
            503: components["responses"]["Unavailable"];
        };
    };
    endSessionsOfAccount: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description Of the list */
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description How many have ended */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["EndedSessions"];
                };
            };
            401: components["responses"]["Unauthenticated"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["NotFound"];
            429: components["responses"]["TooManyRequests"];
            500: components["responses"]["Internal"];
            503: components["responses"]["Unavailable"];
        };
    };
    changeRoles: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description Of the list */
                id: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["RoleChange"];
            };
        };
        responses: {
            /** @description The roles as they are now */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["RolesBody"];
                };
            };
            400: components["responses"]["Malformed"];
            401: components["responses"]["Unauthenticated"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["NotFound"];
            409: components["responses"]["Conflict"];
            413: components["responses"]["BodyTooLarge"];
            415: components["responses"]["NotJson"];
            422: components["responses"]["Invalid"];
            429: components["responses"]["TooManyRequests"];
            500: components["responses"]["Internal"];
            503: components["responses"]["Unavailable"];
        };
    };
    readAudit: {
        parameters: {
            query?: {
                /** @description Of this account only; also one that was removed. */
                account?: string;
                /**
                 * @description Of this kind only.
                 * @example sign_in_failed
                 */
                event?: string;
                /** @description `next` of the page before. */
                after?: string;
                /** @example 100 */
                limit?: number;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description A page of the log */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["AuditLines"];
                };
            };
            401: components["responses"]["Unauthenticated"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["NotFound"];
            422: components["responses"]["Invalid"];
            429: components["responses"]["TooManyRequests"];
            500: components["responses"]["Internal"];
            503: components["responses"]["Unavailable"];
        };
    };
    listApiKeys: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The keys */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ApiKeys"];
                };
            };
            401: components["responses"]["Unauthenticated"];
            404: components["responses"]["NotFound"];
            429: components["responses"]["TooManyRequests"];
            500: components["responses"]["Internal"];
            503: components["responses"]["Unavailable"];
        };
    };
    createApiKey: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["NewApiKey"];
            };
        };
        responses: {
            /** @description The key with its secret, which is shown this once */
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["MadeApiKey"];
                };
            };
            400: components["responses"]["Malformed"];
            401: components["responses"]["Unauthenticated"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["NotFound"];
            409: components["responses"]["Conflict"];
            413: components["responses"]["BodyTooLarge"];
            415: components["responses"]["NotJson"];
            422: components["responses"]["Invalid"];
            429: components["responses"]["TooManyRequests"];
            500: components["responses"]["Internal"];
            503: components["responses"]["Unavailable"];
        };
    };
    revokeApiKey: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description Of the list */
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description It works no more */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            401: components["responses"]["Unauthenticated"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["NotFound"];
            429: components["responses"]["TooManyRequests"];
            500: components["responses"]["Internal"];
            503: components["responses"]["Unavailable"];
        };
    };
    searchPlaces: {
        parameters: {
            query: {
                /**
                 * @description What was typed so far; at most 100 characters. "City, Country" and "City, State" work.
                 * @example Lisb
                 */
                q: string;
                /**
                 * @description Language of names, where the data has them.
                 * @example de
                 */
                lang?: string;
                /**
                 * @description Prefer places near `lat,lon`, in whole degrees: an exact position is not wanted here.
                 * @example 39,-9
                 */
                near?: string;
                /** @example 8 */
                limit?: number;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Places, best first */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["PlaceList"];
                };
            };
            403: components["responses"]["Forbidden"];
            422: components["responses"]["Invalid"];
            429: components["responses"]["TooManyRequests"];
            500: components["responses"]["Internal"];
            503: components["responses"]["Unavailable"];
        };
    };
    findNearestPlace: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["Point"];
            };
        };
        responses: {
            /** @description The place and how far it is */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["NearestPlace"];
                };
            };
            400: components["responses"]["Malformed"];
            403: components["responses"]["Forbidden"];
            413: components["responses"]["BodyTooLarge"];
            415: components["responses"]["NotJson"];
            422: components["responses"]["Invalid"];
            429: components["responses"]["TooManyRequests"];
            500: components["responses"]["Internal"];
            503: components["responses"]["Unavailable"];
        };
    };
    getPlace: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /**
                 * @description Of the gazetteer
                 * @example 2267057
                 */
                id: number;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The place */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Place"];
                };
            };
            403: components["responses"]["Forbidden"];
            404: components["responses"]["NotFound"];
            429: components["responses"]["TooManyRequests"];
            500: components["responses"]["Internal"];
            503: components["responses"]["Unavailable"];
        };
    };
    getPlaceForecast: {
        parameters: {
            query?: {
                /**
                 * @description Hours from the present one; at most 384.
                 * @example 12
                 */
                hours?: number;
                /**
                 * @description Days from today; at most 16.
                 * @example 1
                 */
                days?: number;
                units?: "metric" | "imperial" | "si";
            };
            header?: never;
            path: {
                /**
                 * @description Of the gazetteer
                 * @example 2267057
                 */
                id: number;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The forecast */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Forecast"];
                };
            };
            401: components["responses"]["Unauthenticated"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["NotFound"];
            422: components["responses"]["Invalid"];
            429: components["responses"]["TooManyRequests"];
            500: components["responses"]["Internal"];
            503: components["responses"]["Unavailable"];
        };
    };
    followChanges: {
        parameters: {
            query?: {
                /**
                 * @description Where to go on from; the header `Last-Event-ID` goes before it. Without either the stream begins at the
                 *     present.
                 * @example v1.2851.57
                 */
                cursor?: string;
                /** @description From `POST /v1/stream/ticket`, for clients that can set no header. */
                ticket?: string;
            };
            header?: {
                /**
                 * @description The last cursor that was received; browsers send it by themselves
                 * @example v1.2851.57
                 */
                "Last-Event-ID"?: string | null;
            };
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Events until somebody closes the stream */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "text/event-stream": string;
                };
            };
            401: components["responses"]["Unauthenticated"];
            422: components["responses"]["Invalid"];
            429: components["responses"]["TooManyRequests"];
            500: components["responses"]["Internal"];
            503: components["responses"]["Unavailable"];
        };
    };
    createStreamTicket: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The ticket */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["StreamTicket"];
                };
            };
            401: components["responses"]["Unauthenticated"];
            403: components["responses"]["Forbidden"];
            429: components["responses"]["TooManyRequests"];
            500: components["responses"]["Internal"];
            503: components["responses"]["Unavailable"];
        };
    };
    sync: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["Sync"];
            };
        };
        responses: {
            /** @description What became of each mutation, and what changed */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["SyncResult"];
                };
            };
            400: components["responses"]["Malformed"];
            401: components["responses"]["Unauthenticated"];
            403: components["responses"]["Forbidden"];
            413: components["responses"]["BodyTooLarge"];
            415: components["responses"]["NotJson"];
            422: components["responses"]["Invalid"];
            429: components["responses"]["TooManyRequests"];
            500: components["responses"]["Internal"];
            503: components["responses"]["Unavailable"];
        };
    };
    listWeatherCodes: {
        parameters: {
            query?: {
                /**
                 * @description `en` or `de`; English for any other.
                 * @example en
                 */
                lang?: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description All codes */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["WeatherCodeList"];
                };
            };
            422: components["responses"]["Invalid"];
            500: components["responses"]["Internal"];
            503: components["responses"]["Unavailable"];
        };
    };
    listWebhooks: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The webhooks */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Webhooks"];
                };
            };
            401: components["responses"]["Unauthenticated"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["NotFound"];
            429: components["responses"]["TooManyRequests"];
            500: components["responses"]["Internal"];
            503: components["responses"]["Unavailable"];
        };
    };
    createWebhook: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["NewWebhook"];
            };
        };
        responses: {
            /** @description The webhook with its secret, which is shown this once */
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["WebhookWithSecret"];
                };
            };
            400: components["responses"]["Malformed"];
            401: components["responses"]["Unauthenticated"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["NotFound"];
            409: components["responses"]["Conflict"];
            413: components["responses"]["BodyTooLarge"];
            415: components["responses"]["NotJson"];
            422: components["responses"]["Invalid"];
            429: components["responses"]["TooManyRequests"];
            500: components["responses"]["Internal"];
            503: components["responses"]["Unavailable"];
        };
    };
    getWebhook: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description Of the list */
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The webhook */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Webhook"];
                };
            };
            401: components["responses"]["Unauthenticated"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["NotFound"];
            429: components["responses"]["TooManyRequests"];
            500: components["responses"]["Internal"];
            503: components["responses"]["Unavailable"];
        };
    };
    removeWebhook: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description Of the list */
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description It is told nothing more */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            401: components["responses"]["Unauthenticated"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["NotFound"];
            429: components["responses"]["TooManyRequests"];
            500: components["responses"]["Internal"];
            503: components["responses"]["Unavailable"];
        };
    };
    changeWebhook: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description Of the list */
                id: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["WebhookPatch"];
            };
        };
        responses: {
            /** @description The webhook as it is now */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Webhook"];
                };
            };
            400: components["responses"]["Malformed"];
            401: components["responses"]["Unauthenticated"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["NotFound"];
            413: components["responses"]["BodyTooLarge"];
            415: components["responses"]["NotJson"];
            422: components["responses"]["Invalid"];
            429: components["responses"]["TooManyRequests"];
            500: components["responses"]["Internal"];
            503: components["responses"]["Unavailable"];
        };
    };
    listWebhookDeliveries: {
        parameters: {
            query?: {
                /** @description `next` of the page before. */
                after?: string;
                /** @example 50 */
                limit?: number;
            };
            header?: never;
            path: {
                /** @description Of the list of webhooks */
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description A page of deliveries */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["WebhookDeliveries"];
                };
            };
            401: components["responses"]["Unauthenticated"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["NotFound"];
            422: components["responses"]["Invalid"];
            429: components["responses"]["TooManyRequests"];
            500: components["responses"]["Internal"];
            503: components["responses"]["Unavailable"];
        };
    };
    replayWebhookDelivery: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description Of the list of webhooks */
                id: string;
                /** @description Of the list of deliveries */
                delivery_id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description It will be sent within seconds */
            202: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            401: components["responses"]["Unauthenticated"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["NotFound"];
            409: components["responses"]["Conflict"];
            429: components["responses"]["TooManyRequests"];
            500: components["responses"]["Internal"];
            503: components["responses"]["Unavailable"];
        };
    };
    rotateWebhookSecret: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description Of the list */
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The webhook with its new secret, which is shown this once */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["WebhookWithSecret"];
                };
            };
            401: components["responses"]["Unauthenticated"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["NotFound"];
            429: components["responses"]["TooManyRequests"];
            500: components["responses"]["Internal"];
            503: components["responses"]["Unavailable"];
        };
    };
    followChangesOverWebSocket: {
        parameters: {
            query?: {
                /**
                 * @description Where to go on from; the header `Last-Event-ID` goes before it. Without either the stream begins at the
                 *     present.
                 * @example v1.2851.57
                 */
                cursor?: string;
                /** @description From `POST /v1/stream/ticket`, for clients that can set no header. */
                ticket?: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Frames until somebody closes the connection */
            101: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            401: components["responses"]["Unauthenticated"];
            403: components["responses"]["Forbidden"];
            422: components["responses"]["Invalid"];
            /** @description The request asks for no WebSocket */
            426: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            429: components["responses"]["TooManyRequests"];
            500: components["responses"]["Internal"];
            503: components["responses"]["Unavailable"];
        };
    };
}
