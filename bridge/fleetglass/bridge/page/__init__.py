"""The dashboard's files as the bridge serves them."""
