-- +goose Up
-- Users who were asked whether they want a passkey. They are asked in one session only.
CREATE TABLE passkey_offers (
  user_id      VARCHAR(36) NOT NULL PRIMARY KEY,
  session_hash VARCHAR(64) NOT NULL, -- sessions.token_hash of the session in which they are asked; empty: answered
  offered_at   BIGINT      NOT NULL
) /*! ENGINE=InnoDB ROW_FORMAT=DYNAMIC DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin */;

-- +goose Down
DROP TABLE passkey_offers;
