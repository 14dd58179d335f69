-- +goose Up
-- Requests of users for access to an app: one row for each user and app.
CREATE TABLE access_requests (
  id         VARCHAR(36)  NOT NULL PRIMARY KEY, -- UUIDv7
  app_id     VARCHAR(36)  NOT NULL,             -- apps.id
  user_id    VARCHAR(36)  NOT NULL,             -- users.id
  note       VARCHAR(400) NOT NULL,             -- why, as typed; may be empty
  state      VARCHAR(16)  NOT NULL,             -- pending, approved, denied
  created_at BIGINT       NOT NULL,             -- when the newest request was made
  decided_at BIGINT       NOT NULL,             -- 0: it is pending
  decided_by VARCHAR(36)  NOT NULL,             -- users.id of the administrator; empty: pending, or on the command line
  CONSTRAINT access_requests_by_user UNIQUE (user_id, app_id),
  CONSTRAINT access_requests_by_app UNIQUE (app_id, user_id),
  CONSTRAINT access_requests_by_state UNIQUE (state, created_at, id)
) /*! ENGINE=InnoDB ROW_FORMAT=DYNAMIC DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin */;

-- +goose Down
DROP TABLE access_requests;
