-- +goose Up
-- As 0024, by when they were added.
CREATE UNIQUE INDEX users_by_role_created ON users (role, status, created_at, id);

-- +goose Down
DROP INDEX users_by_role_created /*! ON users */;
