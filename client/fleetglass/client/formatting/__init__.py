"""Hosts as text: units, rows and the output formats of `fleetglass watch`."""
