-- +goose Up
-- When the newest invitation that was cancelled had been handed over; 0: none was cancelled.
ALTER TABLE users ADD COLUMN cancelled_invite_at BIGINT NOT NULL DEFAULT 0;

-- +goose Down
ALTER TABLE users DROP COLUMN cancelled_invite_at;
