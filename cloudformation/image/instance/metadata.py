"""Which instance this is: the metadata service, version 2."""

import os
from urllib.error import URLError
from urllib.request import ProxyHandler, Request, build_opener

from cloudformation.image.instance.errors import InstanceError

ENDPOINT = "http://169.254.169.254"
VARIABLE = "AWS_EC2_METADATA_SERVICE_ENDPOINT"
"""Another endpoint, by the variable that the AWS tools read too."""
_SECONDS = 5
_OPENER = build_opener(ProxyHandler({}))


def instance_id() -> str:
    """Such as i-0123456789abcdef0.

    Raises:
        InstanceError: the service does not answer.
    """
    endpoint = os.environ.get(VARIABLE, ENDPOINT).rstrip("/")
    token = Request(f"{endpoint}/latest/api/token", method="PUT")
    token.add_header("X-aws-ec2-metadata-token-ttl-seconds", "60")
    try:
        with _OPENER.open(token, timeout=_SECONDS) as response:
            identity = Request(f"{endpoint}/latest/meta-data/instance-id")
            identity.add_header("X-aws-ec2-metadata-token", response.read().decode())
        with _OPENER.open(identity, timeout=_SECONDS) as response:
            return str(response.read().decode())
    except URLError as error:
        raise InstanceError(f"the instance metadata at {endpoint} cannot be read: {error.reason}") from error
