-- +goose Up
-- Requests that may be sent again, and what was answered; see internal/idempotency. Rows go after a day.
CREATE TABLE idempotency_keys (
  id           VARCHAR(64)   NOT NULL PRIMARY KEY, -- SHA-256, in hex, of who sent it, the route, and the key
  fingerprint  VARCHAR(64)   NOT NULL,             -- SHA-256, in hex, of the body
  lease        VARCHAR(36)   NOT NULL,             -- made up by the request that is at it, or was last
  leased_until BIGINT        NOT NULL,             -- until then no other is
  user_id      VARCHAR(36)   NOT NULL,             -- whom it was about, written together with what it did; empty: nothing was done
  status       BIGINT        NOT NULL,             -- of the answer; 0: there is none yet
  location     VARCHAR(300)  NOT NULL,
  answer       VARCHAR(4000) NOT NULL,             -- JSON
  expires_at   BIGINT        NOT NULL,
  CONSTRAINT idempotency_keys_by_time UNIQUE (expires_at, id)
) /*! ENGINE=InnoDB ROW_FORMAT=DYNAMIC DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin */;

-- +goose Down
DROP TABLE idempotency_keys;
