"""What the system bus tells of this host: when it sleeps, and how many units failed."""
