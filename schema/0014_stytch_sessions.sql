-- +goose Up
CREATE TABLE stytch_sessions (
  session_id       VARCHAR(64) NOT NULL PRIMARY KEY,
  token_hash       VARCHAR(64) NOT NULL, -- SHA-256 of the token, hex
  user_id          VARCHAR(64) NOT NULL,
  details          TEXT        NOT NULL, -- JSON: factors, custom claims, attributes
  started_at       BIGINT      NOT NULL,
  last_accessed_at BIGINT      NOT NULL,
  expires_at       BIGINT      NOT NULL,
  CONSTRAINT stytch_sessions_token UNIQUE (token_hash),
  CONSTRAINT stytch_sessions_by_user UNIQUE (user_id, session_id),
  CONSTRAINT stytch_sessions_by_expiry UNIQUE (expires_at, session_id)
) /*! ENGINE=InnoDB ROW_FORMAT=DYNAMIC DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin */;

-- +goose Down
DROP TABLE stytch_sessions;
