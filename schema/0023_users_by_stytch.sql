-- +goose Up
-- Who has an account at Stytch, and whose it is. The ON of the way down is for MySQL; SQLite knows none.
CREATE UNIQUE INDEX users_by_stytch ON users (stytch_user_id, id);

-- +goose Down
DROP INDEX users_by_stytch /*! ON users */;
