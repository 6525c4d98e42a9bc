"""The gateway's keys file, from where the operator keeps it: names and SHA-256 sums of keys, never a key itself."""

import time
from collections.abc import Callable
from pathlib import Path

import boto3
from botocore.exceptions import BotoCoreError, ClientError

from cloudformation.image.instance import files
from cloudformation.image.instance.errors import InstanceError
from cloudformation.image.instance.settings import InstanceSettings

NAME = "keys.txt"
SECONDS = 120
"""How long it is tried: at boot the network and the role's credentials may take a while."""
PAUSE_SECONDS = 2.0


def fetch_keys(settings: InstanceSettings, folder: Path, sleep: Callable[[float], None] = time.sleep) -> Path | None:
    """Writes the keys to `folder` for the gateway's group to read, and returns where; None if no keys are asked for.

    What is there already stays until the new content is whole.

    Raises:
        InstanceError: they cannot be had, or there is none in them.
    """
    if not (settings.keys_parameter or settings.keys_secret):
        return None
    source = settings.keys_parameter or settings.keys_secret
    until = time.monotonic() + SECONDS
    while True:
        try:
            content = _ask(settings)
            break
        except (BotoCoreError, ClientError) as error:
            if time.monotonic() > until:
                raise InstanceError(f"the keys in {source} cannot be had: {error}") from error
            sleep(PAUSE_SECONDS)
    if not any(line.strip() and not line.startswith("#") for line in content.splitlines()):
        # Without a key in it the gateway would let nobody in, for ever.
        raise InstanceError(f"{source} holds no key; put lines of `python -m gateway.api_keys` into it")
    path = folder / NAME
    files.write(path, content if content.endswith("\n") else content + "\n", 0o640)
    return path


def _ask(settings: InstanceSettings) -> str:
    if settings.keys_parameter:
        ssm = boto3.client("ssm", region_name=settings.region)
        return str(ssm.get_parameter(Name=settings.keys_parameter, WithDecryption=True)["Parameter"]["Value"])
    secrets = boto3.client("secretsmanager", region_name=settings.region)
    return str(secrets.get_secret_value(SecretId=settings.keys_secret)["SecretString"])
