-- +goose Up
-- Why a request was denied, as typed; empty: it is not denied, or no reason was given.
ALTER TABLE access_requests ADD COLUMN reason VARCHAR(400) NOT NULL DEFAULT '';

-- +goose Down
ALTER TABLE access_requests DROP COLUMN reason;
