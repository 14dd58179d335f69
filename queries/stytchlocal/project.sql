-- name: GetProject :one
SELECT value FROM stytch_project WHERE name = 'project';

-- name: InsertProject :exec
INSERT INTO stytch_project (name, value) VALUES ('project', ?);

-- name: ReplaceProject :execrows
-- Unless it has changed since it was read.
UPDATE stytch_project SET value = sqlc.arg(value) WHERE name = 'project' AND value = sqlc.arg(was);
