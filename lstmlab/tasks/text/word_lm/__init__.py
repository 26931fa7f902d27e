"""The task word_lm."""
