"""One module per view, with its script beside it; the package's docstring says what a view is."""
