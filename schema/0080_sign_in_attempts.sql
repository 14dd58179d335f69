-- +goose Up
-- Links that browsers have brought, so that the same browser may bring one again; see internal/session/attempt.go.
CREATE TABLE sign_in_attempts (
  id           VARCHAR(64)   NOT NULL PRIMARY KEY, -- made of the link's token and the browser's flow id, neither of which is stored
  proof        VARCHAR(3000) NOT NULL,             -- what Stytch answered, encrypted by a key made of the same two; empty: nothing yet
  leased_until BIGINT        NOT NULL,             -- until then a request is asking Stytch
  signed_in_at BIGINT        NOT NULL,             -- when the session was made; 0: not yet
  expires_at   BIGINT        NOT NULL,
  CONSTRAINT sign_in_attempts_by_expiry UNIQUE (expires_at, id)
) /*! ENGINE=InnoDB ROW_FORMAT=DYNAMIC DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin */;

-- +goose Down
DROP TABLE sign_in_attempts;
