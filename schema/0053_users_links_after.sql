-- +goose Up
-- Sign-in links made before this are refused; 0: none is.
ALTER TABLE users ADD COLUMN links_after BIGINT NOT NULL DEFAULT 0;

-- +goose Down
ALTER TABLE users DROP COLUMN links_after;
