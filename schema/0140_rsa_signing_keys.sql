-- +goose Up
-- The RS256 keys of internal/identity. They have a table of their own because they are longer than the columns of
-- signing_keys, which keeps the ES256 keys: copying those into a new table would lose them where a deploy request brings
-- tables without rows (PlanetScale), and instances of the release before would no longer find them.
CREATE TABLE rsa_signing_keys (
  id          VARCHAR(36)  NOT NULL PRIMARY KEY, -- the kid of JWTs
  generation  BIGINT       NOT NULL,             -- 1 for the first key; of two instances that create the next key at the same time, one fails
  private_key TEXT         NOT NULL,             -- PKCS #8, encrypted with a key derived from the cookie key
  public_key  TEXT         NOT NULL,             -- PKIX, base64
  signs_from  BIGINT       NOT NULL,             -- it is published before that
  created_at  BIGINT       NOT NULL,
  CONSTRAINT rsa_signing_keys_by_generation UNIQUE (generation)
) /*! ENGINE=InnoDB ROW_FORMAT=DYNAMIC DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin */;

-- +goose Down
DROP TABLE rsa_signing_keys;
