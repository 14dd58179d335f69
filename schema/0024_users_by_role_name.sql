-- +goose Up
-- The list of the people of one role and status, by name. This and the next three are one for each order of the list.
CREATE UNIQUE INDEX users_by_role_name ON users (role, status, name_key, id);

-- +goose Down
DROP INDEX users_by_role_name /*! ON users */;
