-- +goose Up
-- Sign-ins to apps with OpenID Connect. A grant is valid only as long as its session is.
CREATE TABLE grants (
  id              VARCHAR(36)   NOT NULL PRIMARY KEY, -- UUIDv7
  app_id          VARCHAR(36)   NOT NULL,             -- openid_clients.app_id
  user_id         VARCHAR(36)   NOT NULL,             -- users.id
  session_hash    VARCHAR(64)   NOT NULL,             -- sessions.token_hash; the row may be gone
  scope           VARCHAR(200)  NOT NULL,             -- granted, separated by spaces
  nonce           VARCHAR(512)  NOT NULL,             -- of the request; may be empty
  auth_time       BIGINT        NOT NULL,             -- when the user had last proven a factor
  redirect_uri    VARCHAR(1000) NOT NULL,             -- of the request; empty: by a device code
  code_hash       VARCHAR(64)   NOT NULL,             -- SHA-256 of the code, or of the device code, hex
  code_challenge  VARCHAR(64)   NOT NULL,             -- PKCE with S256; empty: none
  code_expires_at BIGINT        NOT NULL,
  code_used_at    BIGINT        NOT NULL,             -- 0: not yet
  created_at      BIGINT        NOT NULL,
  expires_at      BIGINT        NOT NULL,             -- that of the session when this was made; for housekeeping
  CONSTRAINT grants_by_code UNIQUE (code_hash),
  CONSTRAINT grants_by_session UNIQUE (session_hash, id),
  CONSTRAINT grants_by_app UNIQUE (app_id, id),
  CONSTRAINT grants_by_expiry UNIQUE (expires_at, id)
) /*! ENGINE=InnoDB ROW_FORMAT=DYNAMIC DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin */;

-- +goose Down
DROP TABLE grants;
