-- +goose Up
-- The name of the API token by which somebody acted; empty: by a session, or without either.
ALTER TABLE events ADD COLUMN token VARCHAR(100) NOT NULL DEFAULT '';

-- +goose Down
ALTER TABLE events DROP COLUMN token;
