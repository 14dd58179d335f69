-- +goose Up
-- Challenges that an authenticator has still to sign. Using one deletes it.
CREATE TABLE stytch_webauthn_challenges (
  challenge_hash VARCHAR(64)  NOT NULL PRIMARY KEY, -- SHA-256 of its base64url form, hex
  kind           VARCHAR(16)  NOT NULL,             -- register, authenticate
  user_id        VARCHAR(64)  NOT NULL,             -- empty: of any user, to sign in
  domain         VARCHAR(253) NOT NULL,             -- the relying party's id
  details        TEXT         NOT NULL,             -- JSON: what the options asked for
  expires_at     BIGINT       NOT NULL,
  CONSTRAINT stytch_webauthn_challenges_by_user UNIQUE (user_id, expires_at, challenge_hash),
  CONSTRAINT stytch_webauthn_challenges_by_expiry UNIQUE (expires_at, challenge_hash)
) /*! ENGINE=InnoDB ROW_FORMAT=DYNAMIC DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin */;

-- +goose Down
DROP TABLE stytch_webauthn_challenges;
