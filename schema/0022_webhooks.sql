-- +goose Up
-- Webhooks that were heard, so that none has its effect twice. Rows go after a day.
CREATE TABLE webhooks (
  id          VARCHAR(128) NOT NULL PRIMARY KEY, -- the sender's; the same each time it sends a webhook again
  received_at BIGINT       NOT NULL,
  CONSTRAINT webhooks_by_time UNIQUE (received_at, id)
) /*! ENGINE=InnoDB ROW_FORMAT=DYNAMIC DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin */;

-- +goose Down
DROP TABLE webhooks;
