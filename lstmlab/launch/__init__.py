"""Hydra's jobs become runs: one alone, or the many of a sweep or a search as populations."""
