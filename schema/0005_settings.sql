-- +goose Up
-- What the program keeps for itself: the cookie keys, and the row that every change of the administrators locks first.
CREATE TABLE settings (
  name       VARCHAR(64) NOT NULL PRIMARY KEY,
  value      TEXT        NOT NULL,
  updated_at BIGINT      NOT NULL
) /*! ENGINE=InnoDB ROW_FORMAT=DYNAMIC DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin */;

-- +goose Down
DROP TABLE settings;
