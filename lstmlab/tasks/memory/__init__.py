"""Generated tasks that test what a cell can remember or compute."""
