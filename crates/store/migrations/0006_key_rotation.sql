-- Since when a key that signs is in its state; empty for a key that was made before this was noted.
ALTER TABLE signing_key ADD COLUMN since {i64};
