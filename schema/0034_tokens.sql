-- +goose Up
-- What programs show to act as an administrator; see internal/token.
CREATE TABLE tokens (
  token_hash   VARCHAR(64)  NOT NULL PRIMARY KEY, -- SHA-256 of the whole token, hex
  id           VARCHAR(36)  NOT NULL,             -- UUIDv7: what it is called by; no secret
  user_id      VARCHAR(36)  NOT NULL,             -- users.id of who made it, and as whom it acts
  name         VARCHAR(100) NOT NULL,             -- as typed
  scope        VARCHAR(16)  NOT NULL,             -- read or write
  created_at   BIGINT       NOT NULL,
  expires_at   BIGINT       NOT NULL,
  last_used_at BIGINT       NOT NULL,             -- to within a minute; 0: never
  CONSTRAINT tokens_by_id UNIQUE (id),
  CONSTRAINT tokens_by_user UNIQUE (user_id, id),
  CONSTRAINT tokens_by_expiry UNIQUE (expires_at, token_hash)
) /*! ENGINE=InnoDB ROW_FORMAT=DYNAMIC DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin */;

-- +goose Down
DROP TABLE tokens;
