-- +goose Up
-- The id of a passkey at its authenticator, for telling the browser that it was removed; base64url, at most 1023 bytes. Empty
-- for an authenticator app.
ALTER TABLE user_factors ADD COLUMN credential_id VARCHAR(1364) NOT NULL DEFAULT '';

-- +goose Down
ALTER TABLE user_factors DROP COLUMN credential_id;
