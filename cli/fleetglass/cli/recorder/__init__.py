"""Recordings of a fleet: the file format, and playing it back."""
