"""The checks of `fleetglass doctor`, one module per thing that can be wrong."""
