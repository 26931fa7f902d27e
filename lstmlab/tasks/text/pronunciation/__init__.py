"""The task pronunciation."""
