-- +goose Up
-- The app to tell that a session has ended, with kind backchannel_logout; otherwise empty.
ALTER TABLE outbox ADD COLUMN app_id VARCHAR(36) NOT NULL DEFAULT '';

-- +goose Down
ALTER TABLE outbox DROP COLUMN app_id;
