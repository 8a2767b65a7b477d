"""The agent: samples this host and publishes it."""
