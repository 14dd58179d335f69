-- +goose Up
-- Protected apps: web applications that only users on the list may open.
CREATE TABLE apps (
  id             VARCHAR(36)  NOT NULL PRIMARY KEY, -- UUIDv7
  name           VARCHAR(100) NOT NULL,             -- as typed
  name_key       VARCHAR(254) NOT NULL,             -- lower-cased; names are unique by it
  scheme         VARCHAR(16)  NOT NULL,             -- http or https
  host           VARCHAR(260) NOT NULL,             -- lower-cased, in ASCII, with the port unless it is the scheme's
  audience       VARCHAR(16)  NOT NULL,             -- everyone, or groups: those in app_groups
  upstream       VARCHAR(400) NOT NULL,             -- where the built-in proxy sends requests; empty: another proxy does it
  public_paths   TEXT         NOT NULL,             -- paths open to everyone, one in a line
  allow_requests BIGINT       NOT NULL,             -- 1: users without access may request it
  created_at     BIGINT       NOT NULL,
  updated_at     BIGINT       NOT NULL,
  CONSTRAINT apps_by_name UNIQUE (name_key),
  CONSTRAINT apps_by_host UNIQUE (host)
) /*! ENGINE=InnoDB ROW_FORMAT=DYNAMIC DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin */;

-- +goose Down
DROP TABLE apps;
