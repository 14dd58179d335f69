-- +goose Up
-- People left out because they were removed after the import was started, so far.
ALTER TABLE imports ADD COLUMN left_out BIGINT NOT NULL DEFAULT 0;

-- +goose Down
ALTER TABLE imports DROP COLUMN left_out;
