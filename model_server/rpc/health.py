"""The standard health service. As in the stock server, every name is SERVING while the port is open."""

import grpc
from grpc_health.v1 import health, health_pb2, health_pb2_grpc

SERVICE = health.SERVICE_NAME
# The short names that the stock server reports, besides "" for the whole server.
NAMES = ("ModelService", "PredictionService")


class _Health(health.HealthServicer):
    def __init__(self) -> None:
        super().__init__()
        for name in NAMES:
            self.set(name, health_pb2.HealthCheckResponse.SERVING)

    def Check(  # noqa: N802
        self, request: health_pb2.HealthCheckRequest, context: grpc.ServicerContext
    ) -> health_pb2.HealthCheckResponse:
        response = super().Check(request, context)
        if response.status == health_pb2.HealthCheckResponse.UNKNOWN:
            context.set_details("service name unknown")
        return response


def enable(server: grpc.Server) -> None:
    """Adds the service to a server that is not started yet."""
    health_pb2_grpc.add_HealthServicer_to_server(_Health(), server)
