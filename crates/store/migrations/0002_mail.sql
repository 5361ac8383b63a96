-- When a mail is to be tried next, how often it was tried, and who is at it. Rows of the version before are due at
-- once.
ALTER TABLE mail ADD COLUMN due_at {i64} NOT NULL DEFAULT 0;
ALTER TABLE mail ADD COLUMN attempts {i64} NOT NULL DEFAULT 0;
ALTER TABLE mail ADD COLUMN claim {uuid};

CREATE INDEX mail_due ON mail (due_at);

-- Directory: the hash of a mailed secret leads to the account whose password it resets.
CREATE TABLE password_reset (
    reset_hash {bytes} NOT NULL PRIMARY KEY,
    account_id {uuid} NOT NULL,
    expires_at {i64} NOT NULL
) {clustered};

CREATE INDEX password_reset_account ON password_reset (account_id);
CREATE INDEX password_reset_expires ON password_reset (expires_at);

-- The address that an account is to have, until the mailed codes are typed. Sealed with the account's data key.
CREATE TABLE email_change (
    account_id {uuid} NOT NULL PRIMARY KEY,
    sealed {bytes} NOT NULL,
    tries {i64} NOT NULL,
    expires_at {i64} NOT NULL
) {clustered};

CREATE INDEX email_change_expires ON email_change (expires_at);
