-- The statements of one `GET /v1/favourites`, in their order, on one of 300 accounts with ten favourites each.
\set n random(1001, 1300)
BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY;
SELECT eras, head, floor FROM account_sync WHERE account_id = lpad(to_hex(:n::bigint), 32, '0')::uuid;
SELECT favourite_id, rev, position, sealed, updated_at FROM favourite
    WHERE account_id = lpad(to_hex(:n::bigint), 32, '0')::uuid
    AND (position > '' OR (position = '' AND favourite_id > '00000000-0000-0000-0000-000000000000'))
    ORDER BY position, favourite_id LIMIT 201;
ROLLBACK;
