"""Viewers of the bridge: who may watch, and what each is sent over its WebSocket."""
