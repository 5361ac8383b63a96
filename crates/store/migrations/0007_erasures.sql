-- Accounts that were removed lately, by their random ids, until every ledger outside of the database has them.
CREATE TABLE erasure (
    erased_id {uuid} NOT NULL PRIMARY KEY,
    at {i64} NOT NULL
) {clustered};

CREATE INDEX erasure_at ON erasure (at, erased_id);
