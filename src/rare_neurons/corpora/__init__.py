"""Text sources: where documents come from, one function per kind of source."""
