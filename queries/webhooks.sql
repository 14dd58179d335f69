-- name: GetWebhook :one
SELECT received_at FROM webhooks WHERE id = ?;

-- name: InsertWebhook :exec
INSERT INTO webhooks (id, received_at) VALUES (?, ?);

-- name: OldWebhooks :many
SELECT id FROM webhooks WHERE received_at < ? ORDER BY received_at, id LIMIT ?;

-- name: DeleteWebhook :execrows
DELETE FROM webhooks WHERE id = ?;
