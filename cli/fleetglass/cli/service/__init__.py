"""systemd: the only place that knows it. Units are written here, and it is told how a program gets on."""
