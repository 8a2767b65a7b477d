"""Writes the files that derive from the code: `make generate`."""
