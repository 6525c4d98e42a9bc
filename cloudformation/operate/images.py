"""The images of the releases: SSM parameters that hold their ids, and which of them served when."""

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from cloudformation.errors import FleetError

if TYPE_CHECKING:
    from mypy_boto3_ssm import SSMClient


@dataclass(frozen=True)
class Image:
    """The image of one release."""

    release: str
    parameter: str
    """The SSM parameter's name, which the service's stack is given."""
    id: str
    """ami-..."""
    made: datetime


class Images:
    """All images that were ever made for one deployment; image.yaml keeps them."""

    def __init__(self, client: "SSMClient", deployment: str) -> None:
        self._client = client
        self._deployment = deployment
        self._folder = f"/{deployment}/images/"
        # Beside the images, not among them. Its history is the deployment's: SSM keeps the last hundred values.
        self._record = f"/{deployment}/served"

    def all(self) -> list[Image]:
        """Newest first."""
        pages = self._client.get_paginator("get_parameters_by_path").paginate(Path=self._folder)
        images = [
            Image(each["Name"].removeprefix(self._folder), each["Name"], each["Value"], each["LastModifiedDate"])
            for page in pages
            for each in page["Parameters"]
        ]
        return sorted(images, key=lambda image: image.made, reverse=True)

    def find(self, release: str) -> Image | None:
        """The image of one release, if there is one."""
        return next((image for image in self.all() if image.release == release), None)

    def get(self, release: str) -> Image:
        """
        Raises:
            FleetError: there is none; names those that there are.
        """
        image = self.find(release)
        if image is None:
            known = ", ".join(image.release for image in self.all()) or "none"
            raise FleetError(f"no image of release {release}; there are: {known}")
        return image

    def running(self, parameter: str) -> Image | None:
        """The image whose parameter the service's stack has; None if somebody gave it another one."""
        return next((image for image in self.all() if image.parameter == parameter), None)

    def record(self, release: str) -> None:
        """Notes that the service now runs this release."""
        if self._served()[-1:] != [release]:
            self._client.put_parameter(
                Name=self._record,
                Value=release,
                Type="String",
                Overwrite=True,
                Description=f"The releases that {self._deployment} has served, by its history; for `rollback`",
            )

    def previous(self, running: str) -> Image:
        """The image that served before the one that runs now. After a rollback, that is the one rolled back from.

        Raises:
            FleetError: none is on record.
        """
        for release in reversed(self._served()):
            if release != running:
                return self.get(release)
        raise FleetError(f"no release has served before {running}; name one with --release (`status` lists them)")

    def forget(self) -> None:
        """Deletes the record; the images stay."""
        self._client.delete_parameters(Names=[self._record])

    def _served(self) -> list[str]:
        try:
            pages = self._client.get_paginator("get_parameter_history").paginate(Name=self._record)
            return [each["Value"] for page in pages for each in page["Parameters"]]
        except self._client.exceptions.ParameterNotFound:
            return []
