-- +goose Up
-- What the local Stytch made once for itself: one row, so that two instances starting together can't each make half.
CREATE TABLE stytch_project (
  name  VARCHAR(16) NOT NULL PRIMARY KEY, -- 'project'
  value TEXT        NOT NULL              -- JSON: project id, secret, public token, signing key, token key
) /*! ENGINE=InnoDB ROW_FORMAT=DYNAMIC DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin */;

-- +goose Down
DROP TABLE stytch_project;
