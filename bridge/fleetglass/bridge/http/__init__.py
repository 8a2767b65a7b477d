"""HTTP on the bridge's port: connections, requests, TLS, and the answers."""
