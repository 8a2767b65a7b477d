"""The fleet in a terminal: `fleetglass watch` and `fleetglass top`."""
