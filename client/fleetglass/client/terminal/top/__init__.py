"""The full-screen view of a fleet behind `fleetglass top`; all but the model needs the extra `tui`."""
