"""Everything that speaks MQTT: addresses, credentials, TLS, backoff, and the connections."""
