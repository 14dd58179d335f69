-- +goose Up
-- Single-use codes that carry a sign-in from Guestlist's host to an app's.
CREATE TABLE app_codes (
  code_hash    VARCHAR(64) NOT NULL PRIMARY KEY, -- SHA-256 of the code, hex
  app_id       VARCHAR(36) NOT NULL,             -- apps.id
  session_hash VARCHAR(64) NOT NULL,             -- sessions.token_hash
  cookie_hash  VARCHAR(64) NOT NULL,             -- of the browser's cookie at the app that asked for the code
  path         TEXT        NOT NULL,             -- where in the app the browser was going, with the query
  created_at   BIGINT      NOT NULL,
  expires_at   BIGINT      NOT NULL,
  CONSTRAINT app_codes_by_app UNIQUE (app_id, code_hash),
  CONSTRAINT app_codes_by_expiry UNIQUE (expires_at, code_hash)
) /*! ENGINE=InnoDB ROW_FORMAT=DYNAMIC DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin */;

-- +goose Down
DROP TABLE app_codes;
