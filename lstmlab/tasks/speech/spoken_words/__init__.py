"""The task spoken_words."""
