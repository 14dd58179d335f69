-- +goose Up
-- 0: the app is switched off and opens to no one.
ALTER TABLE apps ADD COLUMN enabled BIGINT NOT NULL DEFAULT 1;

-- +goose Down
ALTER TABLE apps DROP COLUMN enabled;
