-- +goose Up
CREATE TABLE users (
  id             VARCHAR(36)  NOT NULL PRIMARY KEY, -- UUIDv7: in order of time, made by the program
  name           VARCHAR(100) NOT NULL,             -- as typed; may be empty
  name_key       VARCHAR(254) NOT NULL,             -- what the list sorts by: the folded name, else email_key
  email          VARCHAR(254) NOT NULL,             -- as typed
  email_key      VARCHAR(254) NOT NULL,             -- lower-cased, domain in ASCII; what addresses are compared by
  role           VARCHAR(16)  NOT NULL,             -- admin, member
  status         VARCHAR(16)  NOT NULL,             -- invited, active, suspended
  stytch_user_id VARCHAR(128) NOT NULL,             -- empty until Stytch told it
  invited_by     VARCHAR(36)  NOT NULL,             -- users.id; empty: by the program, or joined by themselves
  invite_sent_at BIGINT       NOT NULL,             -- when Stytch took the newest invitation; 0: not handed over
  created_at     BIGINT       NOT NULL,
  updated_at     BIGINT       NOT NULL,
  last_seen_at   BIGINT       NOT NULL,             -- moves at sign-in and at each re-check with Stytch; 0: never in
  CONSTRAINT users_email_key UNIQUE (email_key),
  CONSTRAINT users_by_name UNIQUE (name_key, id),
  CONSTRAINT users_by_created UNIQUE (created_at, id),
  CONSTRAINT users_by_last_seen UNIQUE (last_seen_at, id)
) /*! ENGINE=InnoDB ROW_FORMAT=DYNAMIC DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin */;

-- +goose Down
DROP TABLE users;
