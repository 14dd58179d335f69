-- name: InsertUserWord :exec
INSERT INTO user_words (word, user_id) VALUES (?, ?);

-- name: DeleteUserWords :exec
DELETE FROM user_words WHERE user_id = ?;
