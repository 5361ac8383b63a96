-- What happened to accounts and by whom: ids, words of closed lists, a keyed hash of the network. When an account is
-- removed, its id here is replaced by a keyed hash of it.
CREATE TABLE audit (
    audit_id {uuid} NOT NULL PRIMARY KEY,
    at {i64} NOT NULL,
    event {text} NOT NULL,
    subject_id {uuid},
    actor {text} NOT NULL,
    actor_id {uuid},
    network {bytes},
    word {text},
    item_id {uuid},
    times {i64} NOT NULL
) {clustered};

CREATE INDEX audit_subject ON audit (subject_id, audit_id);
CREATE INDEX audit_actor ON audit (actor_id, audit_id);
CREATE INDEX audit_event ON audit (event, audit_id);
CREATE INDEX audit_at ON audit (at);

-- Credentials of a company's own services. The secret is stored hashed; the name is sealed with a key of its own.
CREATE TABLE api_key (
    key_id {uuid} NOT NULL PRIMARY KEY,
    key_hash {bytes} NOT NULL,
    data_key {bytes} NOT NULL,
    sealed {bytes} NOT NULL,
    scopes {text} NOT NULL,
    made_by {uuid},
    per_minute {i64} NOT NULL,
    created_at {i64} NOT NULL,
    expires_at {i64},
    used_at {i64}
) {clustered};

CREATE UNIQUE INDEX api_key_hash ON api_key (key_hash);
CREATE INDEX api_key_made_by ON api_key (made_by, key_id);

-- Where a company's own services are told what happened. Address and secrets are sealed with a key of its own.
CREATE TABLE webhook (
    webhook_id {uuid} NOT NULL PRIMARY KEY,
    data_key {bytes} NOT NULL,
    sealed {bytes} NOT NULL,
    events {text} NOT NULL,
    state {text} NOT NULL,
    failing_since {i64},
    created_at {i64} NOT NULL,
    changed_at {i64} NOT NULL
) {clustered};

-- One event for one webhook. `event_id` stays the same however often it is sent. While it waits, `due_at` says when it
-- is to be sent; whoever sends it moves that first, so that no other node does too.
CREATE TABLE webhook_delivery (
    webhook_id {uuid} NOT NULL,
    delivery_id {uuid} NOT NULL,
    event_id {uuid} NOT NULL,
    event {text} NOT NULL,
    sealed {bytes} NOT NULL,
    state {text} NOT NULL,
    tries {i64} NOT NULL,
    due_at {i64},
    status {i64},
    fault {text},
    created_at {i64} NOT NULL,
    tried_at {i64},
    PRIMARY KEY (webhook_id, delivery_id)
) {clustered};

CREATE INDEX webhook_delivery_due ON webhook_delivery (webhook_id, due_at);
CREATE INDEX webhook_delivery_created ON webhook_delivery (created_at);
