"""A process and its surroundings: log, signals, standard output, heartbeat, systemd's notifications."""
