"""The gateway: cost and speed of a request, where its CPU goes, and what overload does."""
