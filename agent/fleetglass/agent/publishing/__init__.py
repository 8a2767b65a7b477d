"""From a tick's payloads to the broker: sizes, retained messages, the backlog of an outage."""
