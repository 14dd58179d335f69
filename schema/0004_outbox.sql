-- +goose Up
-- Calls to Stytch that must still happen; a row goes when its call is done.
CREATE TABLE outbox (
  id           VARCHAR(36)  NOT NULL PRIMARY KEY, -- UUIDv7: the order in which a subject's calls are made
  kind         VARCHAR(32)  NOT NULL,             -- invite, revoke_invite, delete_user, revoke_session
  subject      VARCHAR(254) NOT NULL,             -- users.email_key: calls of one subject are made one after the other
  user_id      VARCHAR(36)  NOT NULL,
  stytch_id    VARCHAR(128) NOT NULL,             -- the Stytch user or session that the call is about, where known
  name         VARCHAR(100) NOT NULL,             -- of the person invited
  attempts     BIGINT       NOT NULL,
  due_at       BIGINT       NOT NULL,
  leased_until BIGINT       NOT NULL,             -- an instance is at it until then
  parked_at    BIGINT       NOT NULL,             -- 0, or when Stytch refused it for good
  last_error   VARCHAR(200) NOT NULL,             -- in words for an administrator
  created_at   BIGINT       NOT NULL,
  CONSTRAINT outbox_by_subject UNIQUE (subject, id),
  CONSTRAINT outbox_by_due UNIQUE (parked_at, due_at, id)
) /*! ENGINE=InnoDB ROW_FORMAT=DYNAMIC DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin */;

-- +goose Down
DROP TABLE outbox;
