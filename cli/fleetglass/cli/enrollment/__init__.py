"""The folder of a secured broker: its authority, its configuration, and who may do what."""
