"""The task sea_surface."""
