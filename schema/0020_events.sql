-- +goose Up
-- The audit trail. Rows are written and, when they are too old, deleted; none is ever changed.
CREATE TABLE events (
  id         VARCHAR(36)  NOT NULL PRIMARY KEY, -- UUIDv7: in order of time, made by the program
  at         BIGINT       NOT NULL,
  kind       VARCHAR(32)  NOT NULL,             -- see internal/event
  actor_id   VARCHAR(36)  NOT NULL,             -- users.id of who did it; empty: nobody on the list
  actor      VARCHAR(254) NOT NULL,             -- their email_key; empty: the program, or a stranger
  subject_id VARCHAR(36)  NOT NULL,             -- users.id of whom it is about; the row may be gone
  subject    VARCHAR(254) NOT NULL,             -- their email_key
  reason     VARCHAR(400) NOT NULL,
  changes    TEXT         NOT NULL,             -- JSON: [{"field","old","new"}]
  address    VARCHAR(64)  NOT NULL,             -- network address the request came from
  user_agent VARCHAR(400) NOT NULL,
  request_id VARCHAR(64)  NOT NULL,
  CONSTRAINT events_by_time UNIQUE (at, id),
  CONSTRAINT events_by_kind UNIQUE (kind, id),
  CONSTRAINT events_by_subject UNIQUE (subject, id),
  CONSTRAINT events_by_subject_id UNIQUE (subject_id, id),
  CONSTRAINT events_by_actor UNIQUE (actor, id)
) /*! ENGINE=InnoDB ROW_FORMAT=DYNAMIC DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin */;

-- +goose Down
DROP TABLE events;
