"""Language: characters, words, tags, translation."""
