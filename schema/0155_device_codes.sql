-- +goose Up
-- Sign-ins of devices to apps with OpenID Connect that wait for a user, and those decided lately. Once allowed, the
-- grant has the device_hash as its code_hash.
CREATE TABLE device_codes (
  device_hash    VARCHAR(64) NOT NULL PRIMARY KEY, -- SHA-256 of the device code, hex
  user_code_hash VARCHAR(64) NOT NULL,             -- SHA-256 of the code that the user enters, hex
  app_id         VARCHAR(36) NOT NULL,             -- openid_clients.app_id
  scope          VARCHAR(200) NOT NULL,            -- asked for, separated by spaces
  state          VARCHAR(16) NOT NULL,             -- pending, allowed or denied
  user_id        VARCHAR(36) NOT NULL,             -- users.id of the user who has decided; empty: none has yet
  address        VARCHAR(64) NOT NULL,             -- network address of the device
  poll_interval  BIGINT      NOT NULL,             -- seconds that the device must wait between two polls
  next_poll_at   BIGINT      NOT NULL,             -- a poll before is too early
  created_at     BIGINT      NOT NULL,
  expires_at     BIGINT      NOT NULL,
  CONSTRAINT device_codes_by_user_code UNIQUE (user_code_hash),
  CONSTRAINT device_codes_by_expiry UNIQUE (expires_at, device_hash)
) /*! ENGINE=InnoDB ROW_FORMAT=DYNAMIC DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin */;

-- +goose Down
DROP TABLE device_codes;
