-- +goose Up
CREATE TABLE stytch_users (
  user_id     VARCHAR(64)  NOT NULL PRIMARY KEY,
  external_id VARCHAR(128),          -- the caller's own id for the user, another name for it; NULL: none
  status      VARCHAR(16)  NOT NULL, -- active, pending
  details     TEXT         NOT NULL, -- JSON: name, roles, metadata
  created_at  BIGINT       NOT NULL,
  locked_at   BIGINT       NOT NULL, -- written first by every change of the user, to take the row's lock
  CONSTRAINT stytch_users_external_id UNIQUE (external_id),
  CONSTRAINT stytch_users_by_created UNIQUE (created_at, user_id)
) /*! ENGINE=InnoDB ROW_FORMAT=DYNAMIC DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin */;

-- +goose Down
DROP TABLE stytch_users;
