-- +goose Up
CREATE TABLE stytch_links (
  token_hash VARCHAR(64) NOT NULL PRIMARY KEY, -- SHA-256 of the token, hex
  method_id  VARCHAR(64) NOT NULL,             -- the address's email_id; the link's own id if it was not mailed
  user_id    VARCHAR(64) NOT NULL,
  kind       VARCHAR(16) NOT NULL,             -- login, signup, invite, embedded
  details    TEXT        NOT NULL,             -- JSON: redirect URL, PKCE challenge, attributes of the asking browser
  created_at BIGINT      NOT NULL,
  expires_at BIGINT      NOT NULL,
  used_at    BIGINT      NOT NULL,             -- when it was spent or revoked; 0: still good
  CONSTRAINT stytch_links_by_user UNIQUE (user_id, token_hash),
  CONSTRAINT stytch_links_by_expiry UNIQUE (expires_at, token_hash)
) /*! ENGINE=InnoDB ROW_FORMAT=DYNAMIC DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin */;

-- +goose Down
DROP TABLE stytch_links;
