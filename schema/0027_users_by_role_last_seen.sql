-- +goose Up
-- As 0024, by when they were last seen.
CREATE UNIQUE INDEX users_by_role_last_seen ON users (role, status, last_seen_at, id);

-- +goose Down
DROP INDEX users_by_role_last_seen /*! ON users */;
