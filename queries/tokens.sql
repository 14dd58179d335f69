-- name: InsertToken :exec
INSERT INTO tokens (
  token_hash, id, user_id, name, scope, created_at, expires_at, last_used_at
) VALUES (?, ?, ?, ?, ?, ?, ?, ?);

-- name: GetToken :one
SELECT sqlc.embed(tokens), sqlc.embed(users) FROM tokens JOIN users ON users.id = tokens.user_id
WHERE tokens.token_hash = ?;

-- name: FindToken :one
SELECT * FROM tokens WHERE id = ?;

-- name: ListTokensOfUser :many
SELECT * FROM tokens WHERE user_id = ? ORDER BY id DESC;

-- name: ListTokens :many
SELECT sqlc.embed(tokens), sqlc.embed(users) FROM tokens JOIN users ON users.id = tokens.user_id
WHERE tokens.id > ? ORDER BY tokens.id LIMIT ?;

-- name: SetTokenUsed :execrows
UPDATE tokens SET last_used_at = sqlc.arg(used_at) WHERE token_hash = sqlc.arg(token_hash) AND last_used_at < sqlc.arg(used_at);

-- name: DeleteToken :execrows
DELETE FROM tokens WHERE token_hash = ?;

-- name: ExpiredTokens :many
SELECT token_hash FROM tokens WHERE expires_at <= ? ORDER BY expires_at, token_hash LIMIT ?;
