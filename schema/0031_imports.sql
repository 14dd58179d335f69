-- +goose Up
-- Files of people that are, or shall be, brought onto the list; see internal/roster.
CREATE TABLE imports (
  id           VARCHAR(36)  NOT NULL PRIMARY KEY, -- UUIDv7: in order of time
  file         VARCHAR(100) NOT NULL,             -- its name
  state        VARCHAR(16)  NOT NULL,             -- uploading, ready, running, stopped, done
  reason       VARCHAR(200) NOT NULL,             -- why it stopped by itself, in words
  invite       BIGINT       NOT NULL,             -- 1: each is mailed an invitation
  role         VARCHAR(16)  NOT NULL,             -- of those for whom the file names none
  line_count   BIGINT       NOT NULL,             -- people in the file, whether good or not
  people       BIGINT       NOT NULL,             -- of them those who can be on the list
  admins       BIGINT       NOT NULL,             -- of these the administrators by the file
  listed       BIGINT       NOT NULL,             -- and those who were on the list at the upload
  problems     BIGINT       NOT NULL,             -- lines of which nothing can be made
  unused       VARCHAR(900) NOT NULL,             -- columns that nothing is read of, in words
  parts        BIGINT       NOT NULL,             -- how many rows of people import_parts has
  part         BIGINT       NOT NULL,             -- which of them is next: moved on together with the people of the one before
  added        BIGINT       NOT NULL,             -- people so far
  kept         BIGINT       NOT NULL,             -- on the list already, so far
  actor_id     VARCHAR(36)  NOT NULL,             -- who had it run, and from where, as in events
  actor        VARCHAR(254) NOT NULL,
  address      VARCHAR(64)  NOT NULL,
  user_agent   VARCHAR(400) NOT NULL,
  request_id   VARCHAR(64)  NOT NULL,
  lease        VARCHAR(36)  NOT NULL,             -- made up by the instance that is at it
  leased_until BIGINT       NOT NULL,             -- until then no other is
  created_at   BIGINT       NOT NULL,
  updated_at   BIGINT       NOT NULL,
  CONSTRAINT imports_by_state UNIQUE (state, id)
) /*! ENGINE=InnoDB ROW_FORMAT=DYNAMIC DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin */;

-- +goose Down
DROP TABLE imports;
