-- +goose Up
-- The latest request of a code for each address, also for those that get none: one of each browser that has signed in
-- with the address, and one of all others.
CREATE TABLE email_codes (
  requester_hash VARCHAR(64)  NOT NULL PRIMARY KEY, -- SHA-256 of the address and the known browser, hex
  request_hash   VARCHAR(64)  NOT NULL,             -- SHA-256 of the id that the asking browser keeps, hex
  method_id      VARCHAR(128) NOT NULL,             -- Stytch's id of the address; empty until a code was sent
  tries          BIGINT       NOT NULL,
  created_at     BIGINT       NOT NULL,
  expires_at     BIGINT       NOT NULL,
  CONSTRAINT email_codes_by_request UNIQUE (request_hash),
  CONSTRAINT email_codes_by_expiry UNIQUE (expires_at, requester_hash)
) /*! ENGINE=InnoDB ROW_FORMAT=DYNAMIC DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin */;

-- +goose Down
DROP TABLE email_codes;
