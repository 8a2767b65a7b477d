"""The version, said once: the distribution takes it from here, and so need no part ask the distribution."""

VERSION = "0.1.0"
