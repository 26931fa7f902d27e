"""Embedded and downloaded data sets as NumPy arrays and text."""
