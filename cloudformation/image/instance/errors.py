"""The errors of the instance's programs.

InstanceError
├── GoldenError
├── KeysError
├── MetadataError
├── NotReadyError
├── SettingsError
└── SignalError
"""


class InstanceError(Exception):
    """What is wrong and what to do about it, in one line for the journal."""


class GoldenError(InstanceError):
    """The service does not answer as it must."""


class KeysError(InstanceError):
    """The API keys that are asked for cannot be had."""


class MetadataError(InstanceError):
    """The instance's metadata service does not say which instance this is."""


class NotReadyError(InstanceError):
    """Not ready in time."""


class SettingsError(InstanceError):
    """The file that user data wrote is missing or wrong."""


class SignalError(InstanceError):
    """Auto Scaling or CloudFormation could not be told."""
