"""The artifacts' bucket: releases go there for the image builder, and templates that are too long for a request."""

import hashlib
from typing import TYPE_CHECKING

from botocore.exceptions import ClientError

from cloudformation.operate.aws import error_code
from cloudformation.operate.release import Archive
from cloudformation.operate.terminal import Terminal

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client


class Bucket:
    """One bucket of the account."""

    def __init__(self, client: "S3Client", name: str) -> None:
        self._client = client
        self.name = name

    def put_release(self, key: str, archive: Archive, terminal: Terminal) -> None:
        """Uploads the archive, unless the very same bytes are there."""
        if self._sha256(key) == archive.sha256:
            terminal.say(f"the release is in the bucket already: {key}")
            return
        size = archive.path.stat().st_size
        sent = 0

        def show(count: int) -> None:
            nonlocal sent
            sent += count
            terminal.progress(f"  uploading {key}: {sent >> 20} of {size >> 20} MiB")

        self._client.upload_file(
            str(archive.path),
            self.name,
            key,
            # S3 checks each part that arrives; the metadata is for the question above.
            ExtraArgs={"ChecksumAlgorithm": "SHA256", "Metadata": {"sha256": archive.sha256}},
            Callback=show,
        )
        terminal.say(f"uploaded {key} ({size >> 20} MiB)")

    def put_template(self, body: str) -> str:
        """Uploads a template and returns the address that CloudFormation reads it from."""
        key = f"templates/{hashlib.sha256(body.encode()).hexdigest()[:12]}.yaml"
        self._client.put_object(Bucket=self.name, Key=key, Body=body.encode())
        # By the region's own endpoint, with the bucket in the path: the address that CloudFormation takes everywhere.
        return f"{self._client.meta.endpoint_url}/{self.name}/{key}"

    def _sha256(self, key: str) -> str | None:
        try:
            return self._client.head_object(Bucket=self.name, Key=key)["Metadata"].get("sha256")
        except ClientError as error:
            if error_code(error) == "404":
                return None
            raise
