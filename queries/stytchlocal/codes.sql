-- name: InsertCode :exec
INSERT INTO stytch_codes (method_id, user_id, code_hash, details, tries, created_at, expires_at, used_at)
VALUES (?, ?, ?, ?, 0, ?, ?, 0);

-- name: GetCode :one
SELECT * FROM stytch_codes WHERE method_id = ?;

-- name: ReplaceCode :execrows
UPDATE stytch_codes SET user_id = ?, code_hash = ?, details = ?, tries = 0, created_at = ?, expires_at = ?, used_at = 0
WHERE method_id = ?;

-- name: TryCode :execrows
-- Counts a try before the code is compared, so that concurrent ones can't exceed the limit.
UPDATE stytch_codes SET tries = tries + 1
WHERE method_id = sqlc.arg(method_id) AND code_hash = sqlc.arg(code_hash)
  AND tries < sqlc.arg(most) AND used_at = 0 AND expires_at > sqlc.arg(now);

-- name: SpendCode :execrows
UPDATE stytch_codes SET used_at = sqlc.arg(now)
WHERE method_id = sqlc.arg(method_id) AND code_hash = sqlc.arg(code_hash) AND used_at = 0 AND expires_at > sqlc.arg(now);

-- name: DeleteCode :execrows
DELETE FROM stytch_codes WHERE method_id = ?;

-- name: DeleteCodesOfUser :execrows
DELETE FROM stytch_codes WHERE user_id = ?;

-- name: OldCodes :many
SELECT method_id FROM stytch_codes WHERE expires_at < ? ORDER BY expires_at, method_id LIMIT ?;

-- name: DeleteOldCodes :execrows
-- Except those that were replaced since they were read.
DELETE FROM stytch_codes WHERE method_id IN (sqlc.slice(method_ids)) AND expires_at < sqlc.arg(before);
