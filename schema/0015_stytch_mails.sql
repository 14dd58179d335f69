-- +goose Up
-- Mails kept for the inbox page.
CREATE TABLE stytch_mails (
  mail_id   VARCHAR(64)  NOT NULL PRIMARY KEY,
  recipient VARCHAR(254) NOT NULL,
  subject   VARCHAR(254) NOT NULL,
  body_text TEXT         NOT NULL,
  body_html TEXT         NOT NULL,
  link      TEXT         NOT NULL,
  sent_at   BIGINT       NOT NULL,
  CONSTRAINT stytch_mails_by_time UNIQUE (sent_at, mail_id)
) /*! ENGINE=InnoDB ROW_FORMAT=DYNAMIC DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin */;

-- +goose Down
DROP TABLE stytch_mails;
