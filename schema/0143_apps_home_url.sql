-- +goose Up
-- Link under which "My apps" opens the app; empty: its address. An app without an address has : and its id as host.
ALTER TABLE apps ADD COLUMN home_url VARCHAR(600) NOT NULL DEFAULT '';

-- +goose Down
ALTER TABLE apps DROP COLUMN home_url;
