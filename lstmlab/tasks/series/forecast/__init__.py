"""The task forecast."""
