-- +goose Up
-- How many mails an address got in the hour that began at opened_at.
CREATE TABLE stytch_limits (
  email     VARCHAR(254) NOT NULL PRIMARY KEY,
  opened_at BIGINT       NOT NULL,
  mails     BIGINT       NOT NULL,
  CONSTRAINT stytch_limits_by_opening UNIQUE (opened_at, email)
) /*! ENGINE=InnoDB ROW_FORMAT=DYNAMIC DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin */;

-- +goose Down
DROP TABLE stytch_limits;
