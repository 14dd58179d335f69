-- +goose Up
-- What search needs: every word of a person's name and address, folded, so that the start of a word is found by index.
CREATE TABLE user_words (
  word    VARCHAR(64) NOT NULL,
  user_id VARCHAR(36) NOT NULL,
  PRIMARY KEY (word, user_id),
  CONSTRAINT user_words_by_user UNIQUE (user_id, word)
) /*! ENGINE=InnoDB ROW_FORMAT=DYNAMIC DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin */;

-- +goose Down
DROP TABLE user_words;
