-- +goose Up
-- The latest passcode emailed to each address.
CREATE TABLE stytch_codes (
  method_id  VARCHAR(64) NOT NULL PRIMARY KEY, -- the address's email_id
  user_id    VARCHAR(64) NOT NULL,
  code_hash  VARCHAR(64) NOT NULL,             -- HMAC-SHA256 of the method id and the code, hex
  details    TEXT        NOT NULL,             -- JSON: attributes of the browser that requested the code
  tries      BIGINT      NOT NULL,
  created_at BIGINT      NOT NULL,
  expires_at BIGINT      NOT NULL,
  used_at    BIGINT      NOT NULL,             -- 0: not used
  CONSTRAINT stytch_codes_by_user UNIQUE (user_id, method_id),
  CONSTRAINT stytch_codes_by_expiry UNIQUE (expires_at, method_id)
) /*! ENGINE=InnoDB ROW_FORMAT=DYNAMIC DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin */;

-- +goose Down
DROP TABLE stytch_codes;
