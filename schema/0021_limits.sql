-- +goose Up
-- How often things were done of late; see internal/limit. A row that is in the past says nothing any more.
CREATE TABLE limits (
  name    VARCHAR(100) NOT NULL PRIMARY KEY, -- what is counted, and a hash of by or to whom
  full_at BIGINT       NOT NULL,             -- when as much may be done at once as ever
  CONSTRAINT limits_by_time UNIQUE (full_at, name)
) /*! ENGINE=InnoDB ROW_FORMAT=DYNAMIC DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin */;

-- +goose Down
DROP TABLE limits;
