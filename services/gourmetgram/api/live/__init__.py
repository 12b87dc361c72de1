"""/live: what the platform is doing, as it happens, for people."""
