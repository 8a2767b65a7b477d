"""The library and the terminal client for the bridge's WebSocket."""
