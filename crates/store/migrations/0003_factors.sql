-- The secret of an account's authenticator app, sealed with the account's key. `pending` was handed out and waits for
-- its first code. `last_step` is the newest time step whose code was taken: none is taken twice, on any node.
CREATE TABLE totp (
    account_id {uuid} NOT NULL PRIMARY KEY,
    sealed {bytes},
    last_step {i64} NOT NULL,
    confirmed_at {i64} NOT NULL,
    pending {bytes},
    pending_until {i64} NOT NULL
) {clustered};

-- Hashes of the codes for the worst case, each good once.
CREATE TABLE recovery_code (
    account_id {uuid} NOT NULL,
    code_hash {bytes} NOT NULL,
    PRIMARY KEY (account_id, code_hash)
) {clustered};

-- Keys that devices hold. Name, credential id and public key are sealed. `counter` is the authenticator's own count of
-- signatures, which never falls.
CREATE TABLE passkey (
    account_id {uuid} NOT NULL,
    passkey_id {uuid} NOT NULL,
    sealed {bytes} NOT NULL,
    counter {i64} NOT NULL,
    created_at {i64} NOT NULL,
    used_at {i64} NOT NULL,
    PRIMARY KEY (account_id, passkey_id)
) {clustered};

-- Directory: a keyed hash of the credential's id leads to the passkey.
CREATE TABLE passkey_index (
    credential_tag {bytes} NOT NULL PRIMARY KEY,
    account_id {uuid} NOT NULL,
    passkey_id {uuid} NOT NULL
) {clustered};

CREATE INDEX passkey_index_account ON passkey_index (account_id, passkey_id);

-- Directory: the hash of a challenge, which is good for a few minutes and once, leads to whom it was drawn for (the nil
-- account where nobody has said yet who they are). `state` is what the rules need.
CREATE TABLE challenge (
    challenge_hash {bytes} NOT NULL PRIMARY KEY,
    account_id {uuid} NOT NULL,
    state {bytes} NOT NULL,
    tries {i64} NOT NULL,
    until {i64} NOT NULL
) {clustered};

CREATE INDEX challenge_account ON challenge (account_id, until);
CREATE INDEX challenge_until ON challenge (until);
