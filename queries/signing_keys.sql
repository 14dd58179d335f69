-- name: ListSigningKeys :many
SELECT * FROM signing_keys ORDER BY generation DESC LIMIT ?;

-- name: InsertSigningKey :exec
INSERT INTO signing_keys (id, generation, private_key, public_key, signs_from, created_at)
VALUES (sqlc.arg(id), sqlc.arg(generation), sqlc.arg(private_key), sqlc.arg(public_key), sqlc.arg(signs_from), sqlc.arg(created_at));

-- name: DeleteSigningKey :execrows
DELETE FROM signing_keys WHERE id = ?;

-- name: ListRSASigningKeys :many
SELECT * FROM rsa_signing_keys ORDER BY generation DESC LIMIT ?;

-- name: InsertRSASigningKey :exec
INSERT INTO rsa_signing_keys (id, generation, private_key, public_key, signs_from, created_at)
VALUES (sqlc.arg(id), sqlc.arg(generation), sqlc.arg(private_key), sqlc.arg(public_key), sqlc.arg(signs_from), sqlc.arg(created_at));

-- name: DeleteRSASigningKey :execrows
DELETE FROM rsa_signing_keys WHERE id = ?;
