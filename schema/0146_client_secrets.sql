-- +goose Up
-- The secrets of OpenID Connect clients. A client can have several, so that they can be changed one after the other.
CREATE TABLE client_secrets (
  id          VARCHAR(36) NOT NULL PRIMARY KEY, -- UUIDv7: what it is called by; not secret
  app_id      VARCHAR(36) NOT NULL,             -- openid_clients.app_id
  secret_hash VARCHAR(64) NOT NULL,             -- SHA-256 of the secret, hex
  hint        VARCHAR(64) NOT NULL,             -- the last characters of the secret
  created_by  VARCHAR(36) NOT NULL,             -- users.id of the administrator; empty: by the program
  created_at  BIGINT      NOT NULL,
  expires_at  BIGINT      NOT NULL,             -- 0: it has no end
  CONSTRAINT client_secrets_by_hash UNIQUE (app_id, secret_hash),
  CONSTRAINT client_secrets_by_app UNIQUE (app_id, id)
) /*! ENGINE=InnoDB ROW_FORMAT=DYNAMIC DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin */;

-- +goose Down
DROP TABLE client_secrets;
