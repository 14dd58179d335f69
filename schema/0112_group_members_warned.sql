-- +goose Up
-- The value of until_at that the user was warned of, or needs no warning of; 0: of none.
ALTER TABLE group_members ADD COLUMN warned_until BIGINT NOT NULL DEFAULT 0;

-- +goose Down
ALTER TABLE group_members DROP COLUMN warned_until;
