"""The task anomaly."""
