-- +goose Up
-- 1: the user had an authenticator app when signing in, so the session needs a second factor whatever the policy.
ALTER TABLE sessions ADD COLUMN second_factor BIGINT NOT NULL DEFAULT 0;

-- +goose Down
ALTER TABLE sessions DROP COLUMN second_factor;
