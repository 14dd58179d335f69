-- +goose Up
-- Sets of users that open apps. Not "groups", which is a reserved word of MySQL 8.
CREATE TABLE user_groups (
  id         VARCHAR(36)  NOT NULL PRIMARY KEY, -- UUIDv7
  name       VARCHAR(100) NOT NULL,             -- as typed
  name_key   VARCHAR(254) NOT NULL,             -- lower-cased; names are unique by it
  created_at BIGINT       NOT NULL,
  CONSTRAINT user_groups_by_name UNIQUE (name_key)
) /*! ENGINE=InnoDB ROW_FORMAT=DYNAMIC DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin */;

-- +goose Down
DROP TABLE user_groups;
