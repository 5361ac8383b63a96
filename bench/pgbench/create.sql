-- The statements of one `POST /v1/favourites`, in their order, on one of 300 accounts.
\set n random(1, 300)
BEGIN;
UPDATE account_sync SET head = head WHERE account_id = lpad(to_hex(:n::bigint), 32, '0')::uuid
    RETURNING eras, head, floor, favourites, last_position, places, (SELECT era FROM store_era WHERE name = 'era') \gset
INSERT INTO favourite (account_id, favourite_id, rev, position, place_tag, sealed, updated_at)
    VALUES (lpad(to_hex(:n::bigint), 32, '0')::uuid, gen_random_uuid(), :head::bigint + 1, 'a' || :head::text, :head::bigint, decode(repeat('ab', 120), 'hex'), 1795255200000);
UPDATE account_sync SET eras = '1:0', head = :head::bigint + 1, favourites = :favourites::bigint + 1, last_position = 'a' || :head::text,
    places = decode(repeat('cd', 64), 'hex')
    WHERE account_id = lpad(to_hex(:n::bigint), 32, '0')::uuid;
COMMIT;
