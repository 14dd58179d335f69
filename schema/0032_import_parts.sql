-- +goose Up
-- What was read of a file to import, in rows that stay small: its people, and what is wrong with it.
CREATE TABLE import_parts (
  id      VARCHAR(64) NOT NULL PRIMARY KEY, -- imports.id, what it is of, a number: all of an import are one range
  content BLOB        NOT NULL              -- JSON, one object a line, 60 KB at most
) /*! ENGINE=InnoDB ROW_FORMAT=DYNAMIC DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin */;

-- +goose Down
DROP TABLE import_parts;
