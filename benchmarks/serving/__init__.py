"""The service, the original design that it replaced, and the limits of both gateway and model."""
