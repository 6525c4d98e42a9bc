"""What runs on an instance beside the servers: settings from user data, keys, telemetry, readiness, and the signal."""
