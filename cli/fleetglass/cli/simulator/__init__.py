"""A fleet of synthetic hosts: who they are, what they would send, and the connections that send it."""
