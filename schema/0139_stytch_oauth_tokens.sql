-- +goose Up
-- Tokens of sign-ins at an OAuth provider, and of requests to attach an account to a user. Using one deletes it.
CREATE TABLE stytch_oauth_tokens (
  token_hash VARCHAR(64) NOT NULL PRIMARY KEY, -- SHA-256 of the token, hex
  kind       VARCHAR(16) NOT NULL,             -- sign_in, attach
  user_id    VARCHAR(64) NOT NULL,
  details    TEXT        NOT NULL,             -- JSON: provider, registration, scopes, PKCE challenge
  expires_at BIGINT      NOT NULL,
  CONSTRAINT stytch_oauth_tokens_by_user UNIQUE (user_id, expires_at, token_hash),
  CONSTRAINT stytch_oauth_tokens_by_expiry UNIQUE (expires_at, token_hash)
) /*! ENGINE=InnoDB ROW_FORMAT=DYNAMIC DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin */;

-- +goose Down
DROP TABLE stytch_oauth_tokens;
