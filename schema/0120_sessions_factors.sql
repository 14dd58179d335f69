-- +goose Up
-- The factors that the session's user has proven, and when: factor.Proofs. Empty for a session of an earlier release.
ALTER TABLE sessions ADD COLUMN factors VARCHAR(255) NOT NULL DEFAULT '';

-- +goose Down
ALTER TABLE sessions DROP COLUMN factors;
