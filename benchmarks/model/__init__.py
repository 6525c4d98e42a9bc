"""What the model itself costs, in a process, without any server."""
