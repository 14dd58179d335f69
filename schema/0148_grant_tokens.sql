-- +goose Up
-- The tokens issued for grants. A token whose grant is gone opens nothing.
CREATE TABLE grant_tokens (
  token_hash  VARCHAR(64) NOT NULL PRIMARY KEY, -- SHA-256 of the token, hex
  grant_id    VARCHAR(36) NOT NULL,             -- grants.id; the row may be gone
  kind        VARCHAR(16) NOT NULL,             -- access or refresh
  created_at  BIGINT      NOT NULL,
  expires_at  BIGINT      NOT NULL,
  replaced_at BIGINT      NOT NULL,             -- when a refresh token was first used; 0: not yet
  CONSTRAINT grant_tokens_by_grant UNIQUE (grant_id, token_hash),
  CONSTRAINT grant_tokens_by_expiry UNIQUE (expires_at, token_hash)
) /*! ENGINE=InnoDB ROW_FORMAT=DYNAMIC DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin */;

-- +goose Down
DROP TABLE grant_tokens;
