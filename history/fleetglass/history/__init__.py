"""The past of a fleet: what was received, compressed in memory, and how it is read."""
