-- +goose Up
-- As 0024, by address.
CREATE UNIQUE INDEX users_by_role_email ON users (role, status, email_key);

-- +goose Down
DROP INDEX users_by_role_email /*! ON users */;
