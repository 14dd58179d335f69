-- +goose Up
-- What an app needs to sign users in with OpenID Connect: one client for each app, whose client_id is the app's id.
CREATE TABLE openid_clients (
  app_id             VARCHAR(36)  NOT NULL PRIMARY KEY, -- apps.id
  public_client      BIGINT       NOT NULL,             -- 1: it has no secret, and must use PKCE
  id_token_alg       VARCHAR(16)  NOT NULL,             -- RS256 or ES256
  redirect_uris      TEXT         NOT NULL,             -- where a sign-in may end, one in a line
  post_logout_uris   TEXT         NOT NULL,             -- where a sign-out may end, one in a line; may be empty
  backchannel_logout VARCHAR(500) NOT NULL,             -- URL to notify when a session ends; may be empty
  created_at         BIGINT       NOT NULL,
  updated_at         BIGINT       NOT NULL
) /*! ENGINE=InnoDB ROW_FORMAT=DYNAMIC DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin */;

-- +goose Down
DROP TABLE openid_clients;
