-- +goose Up
CREATE TABLE sessions (
  token_hash        VARCHAR(64)  NOT NULL PRIMARY KEY, -- SHA-256 of the Stytch session token, hex
  user_id           VARCHAR(36)  NOT NULL,
  stytch_session_id VARCHAR(128) NOT NULL,
  user_agent        VARCHAR(400) NOT NULL,             -- of the browser that signed in, cut to length
  address           VARCHAR(64)  NOT NULL,             -- its network address
  created_at        BIGINT       NOT NULL,
  verified_at       BIGINT       NOT NULL,             -- when Stytch last said that the session is good
  expires_at        BIGINT       NOT NULL,
  CONSTRAINT sessions_by_user UNIQUE (user_id, stytch_session_id),
  CONSTRAINT sessions_by_expiry UNIQUE (expires_at, token_hash)
) /*! ENGINE=InnoDB ROW_FORMAT=DYNAMIC DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin */;

-- +goose Down
DROP TABLE sessions;
