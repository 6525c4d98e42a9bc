"""TLS for the gRPC listeners, from a file in SSLConfig text format that holds the PEM texts themselves."""

import grpc

from model_server.config.config import read_text
from model_server.config.protos import SSLConfig
from model_server.errors import CheckFailure, StatusError


def server_credentials(path: str) -> grpc.ServerCredentials:
    """The server's key and certificate; with `client_verify` every client must show one that `custom_ca` signed.

    Raises:
        CheckFailure: the file cannot be read.
    """
    try:
        config = read_text(path, SSLConfig())
    except StatusError as error:
        raise CheckFailure(str(error)) from None
    return grpc.ssl_server_credentials(
        [(config.server_key.encode(), config.server_cert.encode())],
        root_certificates=config.custom_ca.encode(),
        require_client_auth=config.client_verify,
    )
