"""The errors of serving_config.

ServingConfigError
├── BinaryNotFoundError
├── ConfigFileError
├── NoVersionError
├── PortTakenError
└── StartError
"""


class ServingConfigError(Exception):
    """What is wrong with the configuration and what to do about it, in one line for the operator."""


class BinaryNotFoundError(ServingConfigError):
    """TENSORFLOW_MODEL_SERVER names no executable file."""


class ConfigFileError(ServingConfigError):
    """A configuration file is missing, does not parse, or would stop the model server."""


class NoVersionError(ServingConfigError):
    """A model has no version on disk, so the model server would wait for one for ever."""


class PortTakenError(ServingConfigError):
    """Something else listens on a port that is needed."""


class StartError(ServingConfigError):
    """A process cannot be started, ended by itself, or was not ready in time."""
