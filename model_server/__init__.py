"""The embedded model server: a drop-in for `tensorflow_model_server` 2.20 on machines that lack it.

One request goes: grpc_server or rest -> server_core (model spec to version) -> predict -> servable (session).
One version goes: source (found on disk) -> manager (wanted, loaded, dropped) -> saved_model (read) -> warmup.
"""
