"""The task sentiment."""
