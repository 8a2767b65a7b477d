"""The model of a fleet without a socket: hosts, presence, arrivals, selection, fan-out, queues, leases."""
