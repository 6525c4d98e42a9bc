"""The API keys that may call the gateway: a file with a line each, which holds no key but its SHA-256."""
