"""Hydra integration: single runs, sweeps, searches."""
