"""The older vocabulary of the client library, kept for the programs that use it."""
