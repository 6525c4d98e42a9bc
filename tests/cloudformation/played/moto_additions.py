"""Image Builder and bucket policies for moto's CloudFormation, which has none; import it before moto is used.

Of Image Builder every resource only exists, and an image is a registered AMI.
"""

from typing import Any

from moto.cloudformation import parsing
from moto.core.common_models import CloudFormationModel
from moto.ec2.models import ec2_backends


class _Resource(CloudFormationModel):
    """A resource that is known by its logical id."""

    def __init__(self, resource_id: str, attributes: dict[str, str]) -> None:
        self.physical_resource_id = resource_id
        self._attributes = attributes

    @staticmethod
    def cloudformation_name_type() -> str:
        return "Name"

    @classmethod
    def has_cfn_attr(cls, attr: str) -> bool:
        return attr in ("Arn", "ImageId")

    def get_cfn_attribute(self, name: str) -> str:
        return self._attributes[name]

    def is_created(self) -> bool:
        return True

    @classmethod
    def create_from_cloudformation_json(
        cls, resource_name: str, cloudformation_json: Any, account_id: str, region_name: str, **_kwargs: Any
    ) -> Any:
        arn = f"arn:aws:imagebuilder:{region_name}:{account_id}:thing/{resource_name}"
        return cls(arn, {"Arn": arn})

    @classmethod
    def update_from_cloudformation_json(
        cls, original_resource: Any, new_resource_name: str, cloudformation_json: Any, account_id: str, region_name: str
    ) -> Any:
        return cls.create_from_cloudformation_json(new_resource_name, cloudformation_json, account_id, region_name)

    @classmethod
    def delete_from_cloudformation_json(cls, resource_name: str, *_rest: Any) -> None:
        """Nothing is asked for once the stack is gone."""


class ComponentResource(_Resource, CloudFormationModel):
    @staticmethod
    def cloudformation_type() -> str:
        return "AWS::ImageBuilder::Component"


class RecipeResource(_Resource, CloudFormationModel):
    @staticmethod
    def cloudformation_type() -> str:
        return "AWS::ImageBuilder::ImageRecipe"


class InfrastructureResource(_Resource, CloudFormationModel):
    @staticmethod
    def cloudformation_type() -> str:
        return "AWS::ImageBuilder::InfrastructureConfiguration"


class DistributionResource(_Resource, CloudFormationModel):
    @staticmethod
    def cloudformation_type() -> str:
        return "AWS::ImageBuilder::DistributionConfiguration"


class ImageResource(_Resource, CloudFormationModel):
    @staticmethod
    def cloudformation_type() -> str:
        return "AWS::ImageBuilder::Image"

    @classmethod
    def create_from_cloudformation_json(
        cls, resource_name: str, cloudformation_json: Any, account_id: str, region_name: str, **_kwargs: Any
    ) -> Any:
        release = cloudformation_json["Properties"]["Tags"]["Release"]
        image = ec2_backends[account_id][region_name].register_image(name=release)
        return cls(f"arn:aws:imagebuilder:{region_name}:{account_id}:image/{release}", {"ImageId": image.id})


class BucketPolicyResource(_Resource, CloudFormationModel):
    @staticmethod
    def cloudformation_type() -> str:
        return "AWS::S3::BucketPolicy"

    @classmethod
    def create_from_cloudformation_json(
        cls, resource_name: str, cloudformation_json: Any, account_id: str, region_name: str, **_kwargs: Any
    ) -> Any:
        # Not put: moto obeys a bucket policy without its conditions, and would deny what is allowed by TLS.
        return cls(cloudformation_json["Properties"]["Bucket"], {})


# Moto remembers its models at the first use.
for remembered in (parsing.get_model_list, parsing.get_model_map, parsing.get_name_type_map):
    remembered.cache_clear()
