-- +goose Up
CREATE TABLE stytch_emails (
  email_id    VARCHAR(64)  NOT NULL PRIMARY KEY,
  user_id     VARCHAR(64)  NOT NULL,
  email       VARCHAR(254) NOT NULL, -- lower-cased
  verified_at BIGINT       NOT NULL, -- 0: never proven
  expires_at  BIGINT       NOT NULL, -- of an address added on trial: gone then unless proven; 0: here to stay
  CONSTRAINT stytch_emails_email UNIQUE (email),
  CONSTRAINT stytch_emails_by_user UNIQUE (user_id, email_id),
  CONSTRAINT stytch_emails_by_expiry UNIQUE (expires_at, email_id)
) /*! ENGINE=InnoDB ROW_FORMAT=DYNAMIC DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin */;

-- +goose Down
DROP TABLE stytch_emails;
