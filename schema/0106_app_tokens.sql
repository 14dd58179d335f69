-- +goose Up
-- What programs show to use one app.
CREATE TABLE app_tokens (
  token_hash VARCHAR(64)  NOT NULL PRIMARY KEY, -- SHA-256 of the whole token, hex
  id         VARCHAR(36)  NOT NULL,             -- UUIDv7: what it is called by; not secret
  app_id     VARCHAR(36)  NOT NULL,             -- apps.id
  user_id    VARCHAR(36)  NOT NULL,             -- users.id of the user it acts as; empty: a service
  name       VARCHAR(100) NOT NULL,             -- as typed; of a service, the name the app sees
  created_by VARCHAR(36)  NOT NULL,             -- users.id of the administrator; empty: by the program
  created_at BIGINT       NOT NULL,
  expires_at BIGINT       NOT NULL,
  CONSTRAINT app_tokens_by_id UNIQUE (id),
  CONSTRAINT app_tokens_by_app UNIQUE (app_id, id),
  CONSTRAINT app_tokens_by_user UNIQUE (user_id, id),
  CONSTRAINT app_tokens_by_expiry UNIQUE (expires_at, token_hash)
) /*! ENGINE=InnoDB ROW_FORMAT=DYNAMIC DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin */;

-- +goose Down
DROP TABLE app_tokens;
