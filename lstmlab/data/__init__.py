"""Where bytes come from: embedded and downloaded data sets as plain numpy arrays and text."""
