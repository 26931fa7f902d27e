"""Generated tasks that ask what a cell can remember or compute."""
