"""From Hydra's jobs to runs."""
