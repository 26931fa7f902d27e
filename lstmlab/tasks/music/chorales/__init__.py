"""The task chorales."""
