"""Reports: one HTML file of a comparison, and the interactive figures in it."""
