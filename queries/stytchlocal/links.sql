-- name: InsertLink :exec
INSERT INTO stytch_links (token_hash, method_id, user_id, kind, details, created_at, expires_at, used_at)
VALUES (?, ?, ?, ?, ?, ?, ?, 0);

-- name: GetLink :one
SELECT * FROM stytch_links WHERE token_hash = ?;

-- name: SpendLink :execrows
UPDATE stytch_links SET used_at = sqlc.arg(now)
WHERE token_hash = sqlc.arg(token_hash) AND used_at = 0 AND expires_at > sqlc.arg(now);

-- name: MarkLink :execrows
UPDATE stytch_links SET used_at = ? WHERE token_hash = ?;

-- name: RevokeInvites :execrows
UPDATE stytch_links SET used_at = ? WHERE user_id = ? AND method_id = ? AND kind = 'invite' AND used_at = 0;

-- name: DeleteLinksOfMethod :execrows
DELETE FROM stytch_links WHERE user_id = ? AND method_id = ?;

-- name: DeleteLinksOfUser :execrows
DELETE FROM stytch_links WHERE user_id = ?;

-- name: OldLinks :many
SELECT token_hash FROM stytch_links WHERE expires_at < ? ORDER BY expires_at, token_hash LIMIT ?;

-- name: DeleteOldLinks :execrows
DELETE FROM stytch_links WHERE token_hash IN (sqlc.slice(token_hashes)) AND expires_at < sqlc.arg(before);
