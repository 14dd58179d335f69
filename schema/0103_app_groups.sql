-- +goose Up
-- The groups that open an app.
CREATE TABLE app_groups (
  app_id   VARCHAR(36) NOT NULL, -- apps.id
  group_id VARCHAR(36) NOT NULL, -- user_groups.id
  PRIMARY KEY (app_id, group_id),
  CONSTRAINT app_groups_by_group UNIQUE (group_id, app_id)
) /*! ENGINE=InnoDB ROW_FORMAT=DYNAMIC DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin */;

-- +goose Down
DROP TABLE app_groups;
