"""The task stocks."""
