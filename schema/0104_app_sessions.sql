-- +goose Up
-- A browser's credential for one app. It is valid only as long as its session is.
CREATE TABLE app_sessions (
  cookie_hash  VARCHAR(64) NOT NULL PRIMARY KEY, -- SHA-256 of the app's cookie, hex
  app_id       VARCHAR(36) NOT NULL,             -- apps.id
  session_hash VARCHAR(64) NOT NULL,             -- sessions.token_hash; the row may be gone
  created_at   BIGINT      NOT NULL,
  expires_at   BIGINT      NOT NULL,             -- that of the session when this was made; for housekeeping
  CONSTRAINT app_sessions_by_session UNIQUE (session_hash, app_id, cookie_hash),
  CONSTRAINT app_sessions_by_app UNIQUE (app_id, cookie_hash),
  CONSTRAINT app_sessions_by_expiry UNIQUE (expires_at, cookie_hash)
) /*! ENGINE=InnoDB ROW_FORMAT=DYNAMIC DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin */;

-- +goose Down
DROP TABLE app_sessions;
