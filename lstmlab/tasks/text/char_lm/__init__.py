"""The task char_lm."""
