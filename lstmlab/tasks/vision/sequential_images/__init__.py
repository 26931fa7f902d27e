"""The task sequential_images."""
