"""Simple models that tasks use as baselines: arrays in, predictions out. They know nothing of tasks and cells."""
