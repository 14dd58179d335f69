-- +goose Up
-- Addresses of users who were removed. They stay out until an administrator adds or invites them again.
CREATE TABLE removed_addresses (
  email_key  VARCHAR(254) NOT NULL PRIMARY KEY, -- as users.email_key was
  removed_at BIGINT       NOT NULL,
  removal    BIGINT       NOT NULL              -- number of the removal, counted over the whole directory from 1
) /*! ENGINE=InnoDB ROW_FORMAT=DYNAMIC DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin */;

-- +goose Down
DROP TABLE removed_addresses;
