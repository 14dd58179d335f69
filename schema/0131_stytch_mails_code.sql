-- +goose Up
-- The passcode in the email; empty: it has none.
ALTER TABLE stytch_mails ADD COLUMN code VARCHAR(16) NOT NULL DEFAULT '';

-- +goose Down
ALTER TABLE stytch_mails DROP COLUMN code;
