"""The configuration that model server and gateway start from, its validation, and the command that starts both."""
