-- +goose Up
-- How many removals there had been when the import was started: later ones are not undone by it.
ALTER TABLE imports ADD COLUMN removals BIGINT NOT NULL DEFAULT 0;

-- +goose Down
ALTER TABLE imports DROP COLUMN removals;
