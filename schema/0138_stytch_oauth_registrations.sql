-- +goose Up
-- Accounts of users at OAuth providers.
CREATE TABLE stytch_oauth_registrations (
  registration_id VARCHAR(80) NOT NULL PRIMARY KEY,
  user_id         VARCHAR(64) NOT NULL,
  provider        VARCHAR(32) NOT NULL, -- google, github, microsoft
  subject         VARCHAR(64) NOT NULL, -- the account's id at the provider
  created_at      BIGINT      NOT NULL,
  CONSTRAINT stytch_oauth_registrations_subject UNIQUE (provider, subject),
  CONSTRAINT stytch_oauth_registrations_by_user UNIQUE (user_id, registration_id)
) /*! ENGINE=InnoDB ROW_FORMAT=DYNAMIC DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin */;

-- +goose Down
DROP TABLE stytch_oauth_registrations;
