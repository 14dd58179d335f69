-- name: GetProject :one
SELECT value FROM stytch_project WHERE name = 'project';

-- name: InsertProject :exec
INSERT INTO stytch_project (name, value) VALUES ('project', ?);
