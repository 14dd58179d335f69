-- +goose Up
-- The passkeys and authenticator apps that users have set up. One that isn't here is refused, even if Stytch accepts it.
CREATE TABLE user_factors (
  id           VARCHAR(36)  NOT NULL PRIMARY KEY,
  user_id      VARCHAR(36)  NOT NULL,  -- users.id
  kind         VARCHAR(16)  NOT NULL,  -- passkey, totp
  provider_id  VARCHAR(128) NOT NULL,  -- Stytch's id of it
  name         VARCHAR(100) NOT NULL,
  codes_left   BIGINT       NOT NULL,  -- recovery codes of an authenticator app that were not used yet
  created_at   BIGINT       NOT NULL,
  last_used_at BIGINT       NOT NULL,  -- 0: never
  CONSTRAINT user_factors_by_provider UNIQUE (provider_id),
  CONSTRAINT user_factors_by_user UNIQUE (user_id, id)
) /*! ENGINE=InnoDB ROW_FORMAT=DYNAMIC DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin */;

-- +goose Down
DROP TABLE user_factors;
