-- +goose Up
CREATE TABLE group_members (
  group_id   VARCHAR(36) NOT NULL, -- user_groups.id
  user_id    VARCHAR(36) NOT NULL, -- users.id
  until_at   BIGINT      NOT NULL, -- the membership ends at this time; 0: it has no end
  added_by   VARCHAR(36) NOT NULL, -- users.id of the administrator; empty: by the program
  created_at BIGINT      NOT NULL,
  PRIMARY KEY (group_id, user_id),
  CONSTRAINT group_members_by_user UNIQUE (user_id, group_id),
  CONSTRAINT group_members_by_end UNIQUE (until_at, group_id, user_id)
) /*! ENGINE=InnoDB ROW_FORMAT=DYNAMIC DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin */;

-- +goose Down
DROP TABLE group_members;
