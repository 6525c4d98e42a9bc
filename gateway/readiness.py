"""Whether a request sent now would be answered, found out by sending one."""

from gateway.backend import Backend
from gateway.classifier import Classifier
from gateway.deadline import Deadline
from gateway.errors import ModelNotReadyError

PROBE_TEXT = "Are you ready?"


async def ready_version(backend: Backend, classifier: Classifier, deadline: Deadline) -> int:
    """The version that answered a real Predict and named its label.

    Raises:
        BackendError: why not; ModelNotReadyError if no version is AVAILABLE.
    """
    versions = await backend.versions(deadline)
    if not any(each.state == "AVAILABLE" for each in versions):
        states = ", ".join(
            f"version {each.version} is {each.state}" + ("" if each.error == "OK" else f" with {each.error}")
            for each in versions
        )
        raise ModelNotReadyError(f"no version of the model is AVAILABLE: {states or 'none is known'}")
    return (await classifier.classify(PROBE_TEXT, deadline)).version
