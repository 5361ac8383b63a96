-- Ways into an account beside its e-mail: identities at providers, and passkeys. An account that has none, and no
-- e-mail, is anonymous.
ALTER TABLE account ADD COLUMN identities {i64} NOT NULL DEFAULT 0;

-- Directory: a keyed hash of issuer and subject leads to the account that holds the identity.
CREATE TABLE identity_index (
    identity_tag {bytes} NOT NULL PRIMARY KEY,
    account_id {uuid} NOT NULL,
    identity_id {uuid} NOT NULL
) {clustered};

CREATE INDEX identity_index_account ON identity_index (account_id, identity_id);

-- What a provider says of who somebody is: issuer, subject and what is shown of it, sealed with the account's key.
CREATE TABLE identity (
    account_id {uuid} NOT NULL,
    identity_id {uuid} NOT NULL,
    sealed {bytes} NOT NULL,
    created_at {i64} NOT NULL,
    used_at {i64} NOT NULL,
    PRIMARY KEY (account_id, identity_id)
) {clustered};

-- A step of a way through a provider, good once: the state that comes back with the browser, the code that an app
-- exchanges, the nonce that an app has put into an ID token. Found by the hash of its secret, sealed with its own key.
CREATE TABLE oauth_step (
    step_hash {bytes} NOT NULL PRIMARY KEY,
    data_key {bytes} NOT NULL,
    sealed {bytes} NOT NULL,
    expires_at {i64} NOT NULL
) {clustered};

CREATE INDEX oauth_step_expires ON oauth_step (expires_at);
