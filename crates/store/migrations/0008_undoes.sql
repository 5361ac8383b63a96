-- Since when a mailed secret undoes what was added to an account; NULL where it resets a password alone.
ALTER TABLE password_reset ADD COLUMN undoes {i64};
