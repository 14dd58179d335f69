-- +goose Up
-- Passkeys and security keys.
CREATE TABLE stytch_webauthn_registrations (
  registration_id VARCHAR(64)  NOT NULL PRIMARY KEY,
  user_id         VARCHAR(64)  NOT NULL,
  credential_hash VARCHAR(64)  NOT NULL, -- SHA-256 of the credential's id, hex
  domain          VARCHAR(253) NOT NULL, -- the relying party's id
  name            VARCHAR(128) NOT NULL, -- as the user calls it; may be empty
  details         TEXT         NOT NULL, -- JSON: credential's id, public key, flags, user handle, user agent
  sign_count      BIGINT       NOT NULL, -- the authenticator's counter at the latest use; 0: it has none
  created_at      BIGINT       NOT NULL,
  used_at         BIGINT       NOT NULL, -- the latest use, 0 for none
  CONSTRAINT stytch_webauthn_registrations_credential UNIQUE (credential_hash, domain),
  CONSTRAINT stytch_webauthn_registrations_by_user UNIQUE (user_id, registration_id)
) /*! ENGINE=InnoDB ROW_FORMAT=DYNAMIC DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin */;

-- +goose Down
DROP TABLE stytch_webauthn_registrations;
