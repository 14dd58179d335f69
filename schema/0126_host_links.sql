-- +goose Up
-- Sign-in links that the operator printed on the host and that were not used yet, at most one for each user. Any other
-- link that was not emailed is refused, even if Stytch accepts it.
CREATE TABLE host_links (
  user_id    VARCHAR(36) NOT NULL PRIMARY KEY, -- users.id
  token_hash VARCHAR(64) NOT NULL,             -- SHA-256 of the link's token, hex
  created_at BIGINT      NOT NULL,
  expires_at BIGINT      NOT NULL,
  CONSTRAINT host_links_by_token UNIQUE (token_hash),
  CONSTRAINT host_links_by_expiry UNIQUE (expires_at, user_id)
) /*! ENGINE=InnoDB ROW_FORMAT=DYNAMIC DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin */;

-- +goose Down
DROP TABLE host_links;
