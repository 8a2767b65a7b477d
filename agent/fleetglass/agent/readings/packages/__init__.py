"""Pending package updates, and whether a reboot is required."""
