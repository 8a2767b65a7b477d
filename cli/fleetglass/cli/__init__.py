"""The `fleetglass` command."""
