-- +goose Up
-- The keys that sign what apps receive about the signed-in user; see internal/identity.
CREATE TABLE signing_keys (
  id          VARCHAR(36)  NOT NULL PRIMARY KEY, -- the kid of JWTs
  generation  BIGINT       NOT NULL,             -- 1 for the first key; of two instances that create the next key at the same time, one fails
  private_key VARCHAR(500) NOT NULL,             -- PKCS #8, encrypted with a key derived from the cookie key
  public_key  VARCHAR(200) NOT NULL,             -- PKIX, base64
  signs_from  BIGINT       NOT NULL,             -- it is published before that
  created_at  BIGINT       NOT NULL,
  CONSTRAINT signing_keys_by_generation UNIQUE (generation)
) /*! ENGINE=InnoDB ROW_FORMAT=DYNAMIC DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin */;

-- +goose Down
DROP TABLE signing_keys;
