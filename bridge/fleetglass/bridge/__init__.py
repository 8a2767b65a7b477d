"""The bridge: from the broker to browsers."""
