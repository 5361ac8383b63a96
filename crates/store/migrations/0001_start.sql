-- Which history this database lives in; redrawn when it may have been rewound.
CREATE TABLE store_era (
    name {text} NOT NULL PRIMARY KEY,
    era {i64} NOT NULL,
    witness {text} NOT NULL
) {strict};

-- Which database this one was filled from, and whether all of it arrived. `ended_at` is 0 until then, and no server
-- starts on half of the data.
CREATE TABLE database_move (
    source {text} NOT NULL PRIMARY KEY,
    begun_at {i64} NOT NULL,
    ended_at {i64} NOT NULL
) {strict};

-- Secrets of the installation (index, refresh and throttle keys), wrapped by the key ring.
CREATE TABLE server_secret (
    name {text} NOT NULL PRIMARY KEY,
    wrapped {bytes} NOT NULL
) {strict};

-- Keys that sign access tokens; the private half is wrapped by the key ring.
CREATE TABLE signing_key (
    kid {text} NOT NULL PRIMARY KEY,
    state {text} NOT NULL,
    public_key {bytes} NOT NULL,
    wrapped {bytes} NOT NULL,
    created_at {i64} NOT NULL
) {strict};

-- A person, who may be anonymous. E-mail and password hash are sealed with the account's data key.
CREATE TABLE account (
    account_id {uuid} NOT NULL PRIMARY KEY,
    data_key {bytes} NOT NULL,
    email {bytes},
    password {bytes},
    preferences {bytes},
    roles {text} NOT NULL,
    created_at {i64} NOT NULL,
    seen_at {i64} NOT NULL
) {clustered};

CREATE INDEX account_seen ON account (seen_at);

-- Directory: a keyed hash of the e-mail leads to the account.
CREATE TABLE email_index (
    email_tag {bytes} NOT NULL PRIMARY KEY,
    account_id {uuid} NOT NULL
) {clustered};

CREATE INDEX email_index_account ON email_index (account_id);

-- One device's way in. `state` is what the rules need: kind, limits, refresh generation, factors.
CREATE TABLE session (
    account_id {uuid} NOT NULL,
    session_id {uuid} NOT NULL,
    state {bytes} NOT NULL,
    device {bytes},
    created_at {i64} NOT NULL,
    seen_at {i64} NOT NULL,
    expires_at {i64} NOT NULL,
    PRIMARY KEY (account_id, session_id)
) {clustered};

CREATE INDEX session_expires ON session (expires_at);

-- Directory: the hash of a session cookie leads to its session.
CREATE TABLE cookie (
    cookie_hash {bytes} NOT NULL PRIMARY KEY,
    account_id {uuid} NOT NULL,
    session_id {uuid} NOT NULL
) {clustered};

CREATE INDEX cookie_session ON cookie (account_id, session_id);

-- Directory: the hash of a ticket, which opens one stream, leads to whom the stream is for. `state` is what the
-- rules need of the credential that drew it.
CREATE TABLE stream_ticket (
    ticket_hash {bytes} NOT NULL PRIMARY KEY,
    account_id {uuid} NOT NULL,
    session_id {uuid} NOT NULL,
    state {bytes} NOT NULL,
    until {i64} NOT NULL
) {clustered};

CREATE INDEX stream_ticket_account ON stream_ticket (account_id, until);
CREATE INDEX stream_ticket_until ON stream_ticket (until);

-- Sessions that ended before their tokens did. Every node reads this every few seconds.
CREATE TABLE revocation (
    session_id {uuid} NOT NULL PRIMARY KEY,
    revoked_at {i64} NOT NULL
) {clustered};

CREATE INDEX revocation_time ON revocation (revoked_at);

-- Sign-ups that wait for the mailed code; there is no account yet.
CREATE TABLE registration (
    registration_hash {bytes} NOT NULL PRIMARY KEY,
    data_key {bytes} NOT NULL,
    sealed {bytes} NOT NULL,
    tries {i64} NOT NULL,
    expires_at {i64} NOT NULL
) {clustered};

CREATE INDEX registration_expires ON registration (expires_at);

-- Mail to be sent, or shown in the mailbox of a development server.
CREATE TABLE mail (
    mail_id {uuid} NOT NULL PRIMARY KEY,
    data_key {bytes} NOT NULL,
    sealed {bytes} NOT NULL,
    created_at {i64} NOT NULL
) {clustered};

CREATE INDEX mail_created ON mail (created_at);

-- Security counters, exact on every node: failed passwords, mail sent. The tag is a keyed hash.
CREATE TABLE throttle (
    tag {bytes} NOT NULL PRIMARY KEY,
    state {bytes} NOT NULL,
    expires_at {i64} NOT NULL
) {clustered};

CREATE INDEX throttle_expires ON throttle (expires_at);

-- The head of an account's log of changes. Every write of synced data locks this row first. `places` is a
-- filter of the places ever saved, so that looking for the same place mostly needs no reading.
CREATE TABLE account_sync (
    account_id {uuid} NOT NULL PRIMARY KEY,
    eras {text} NOT NULL,
    head {i64} NOT NULL,
    floor {i64} NOT NULL,
    favourites {i64} NOT NULL,
    last_position {text} NOT NULL,
    places {bytes} NOT NULL
) {clustered};

-- Live favourites. An account's quota bounds them, so its own rows are read through rather than indexed:
-- each index would cost every durable write a page more.
CREATE TABLE favourite (
    account_id {uuid} NOT NULL,
    favourite_id {uuid} NOT NULL,
    rev {i64} NOT NULL,
    position {text} NOT NULL,
    place_tag {i64} NOT NULL,
    sealed {bytes} NOT NULL,
    updated_at {i64} NOT NULL,
    PRIMARY KEY (account_id, favourite_id)
) {clustered};

-- What was removed, without content: tells the other devices, and keeps the id from coming back.
CREATE TABLE tombstone (
    account_id {uuid} NOT NULL,
    item_id {uuid} NOT NULL,
    rev {i64} NOT NULL,
    removed_at {i64} NOT NULL,
    PRIMARY KEY (account_id, item_id)
) {clustered};

CREATE UNIQUE INDEX tombstone_rev ON tombstone (account_id, rev);
CREATE INDEX tombstone_removed ON tombstone (removed_at);

-- What was answered to a request that may come again.
CREATE TABLE receipt (
    account_id {uuid} NOT NULL,
    mid {text} NOT NULL,
    digest {bytes} NOT NULL,
    status {i64} NOT NULL,
    rev {i64} NOT NULL,
    item_id {uuid},
    answer {bytes},
    expires_at {i64} NOT NULL,
    PRIMARY KEY (account_id, mid)
) {clustered};

CREATE INDEX receipt_expires ON receipt (expires_at);

-- The last good answer of a provider for a cell of the weather grid; survives a restart.
CREATE TABLE cell_forecast (
    cell_key {text} NOT NULL PRIMARY KEY,
    series {bytes} NOT NULL,
    fetched_at {i64} NOT NULL
) {strict};

CREATE INDEX cell_forecast_fetched ON cell_forecast (fetched_at);

-- What a provider was asked in the running minute, hour, day and month, and how it behaves.
CREATE TABLE provider_state (
    provider {text} NOT NULL PRIMARY KEY,
    state {bytes} NOT NULL,
    updated_at {i64} NOT NULL
) {strict};

-- Cells that one node is fetching for all: the others wait for its answer. A claim whose node died lapses.
CREATE TABLE cell_claim (
    cell_key {text} NOT NULL PRIMARY KEY,
    holder {uuid} NOT NULL,
    until {i64} NOT NULL
) {strict};

CREATE INDEX cell_claim_until ON cell_claim (until);

-- Elevation of a coordinate rounded to 0.01 degree, as the provider told it. The key is a keyed hash.
CREATE TABLE elevation (
    point_tag {bytes} NOT NULL PRIMARY KEY,
    metres {i64} NOT NULL
) {clustered};
