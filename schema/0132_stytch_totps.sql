-- +goose Up
-- Authenticator apps, one for a user.
CREATE TABLE stytch_totps (
  totp_id           VARCHAR(64) NOT NULL PRIMARY KEY,
  user_id           VARCHAR(64) NOT NULL,
  secret            TEXT        NOT NULL, -- AES-256-GCM, base64
  recovery_codes    TEXT        NOT NULL, -- JSON: id, HMAC-SHA256 and time of use of each
  last_step         BIGINT      NOT NULL, -- number of the 30 seconds whose code was used last; 0: none was
  tries             BIGINT      NOT NULL, -- codes since the last right one
  tried_at          BIGINT      NOT NULL,
  recovery_tries    BIGINT      NOT NULL, -- the same of recovery codes
  recovery_tried_at BIGINT      NOT NULL,
  created_at        BIGINT      NOT NULL,
  verified_at       BIGINT      NOT NULL, -- when the first code proved the app; 0: pending
  expires_at        BIGINT      NOT NULL, -- of a pending one; 0: verified
  CONSTRAINT stytch_totps_by_user UNIQUE (user_id),
  CONSTRAINT stytch_totps_by_expiry UNIQUE (expires_at, totp_id)
) /*! ENGINE=InnoDB ROW_FORMAT=DYNAMIC DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin */;

-- +goose Down
DROP TABLE stytch_totps;
