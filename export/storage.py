"""How a version stores its weights: in float32, or in 8 bits, which are multiplied out when the model server loads it.

tf.saved_model.save writes every tracked variable, and demands that all variables of a function are tracked. So an
8-bit weight is two small variables, int8 multiples and float32 steps, and a resource that the SavedModel fills with
their product while it is loaded. At run time that resource costs no more than a variable.
"""

import hashlib
from collections.abc import Iterable
from typing import Any

import tensorflow as tf

from export.packed import PackedEncoder
from training.fit import rounding
from training.fit.classifier import TrainedClassifier


class Int8Weight(tf.saved_model.experimental.TrackableResource):
    """A variable that is stored as int8 multiples and float32 steps."""

    def __init__(self, weight: tf.Variable, dtype: tf.DType) -> None:
        """`weight`: float32, as `training.rounding` left it; `dtype`: of what is computed with."""
        super().__init__()
        self.multiples = tf.Variable(rounding.multiples(weight), trainable=False)
        self.steps = tf.Variable(rounding.steps(weight), trainable=False)
        self._shape, self._dtype = weight.shape, dtype
        # The name is shared by all models of a process, so different weights must have different names.
        self._name = dtype.name + hashlib.sha256(weight.numpy().tobytes()).hexdigest()

    def _create_resource(self) -> tf.Tensor:
        return tf.raw_ops.VarHandleOp(dtype=self._dtype, shape=self._shape, shared_name=self._name)

    def _initialize(self) -> None:
        weight = tf.cast(tf.cast(self.multiples, tf.float32) * self.steps, self._dtype)
        tf.raw_ops.AssignVariableOp(resource=self.resource_handle, value=weight)

    def _destroy_resource(self) -> None:
        tf.raw_ops.DestroyResourceOp(resource=self.resource_handle)


def holding(classifier: TrainedClassifier, functions: Iterable[Any]) -> tf.Module:
    """The object to save with these concrete functions: it tracks all that they use.

    Where the classifier's weights are rounded, the functions are changed to use the 8-bit ones.
    """
    holder = tf.Module(name="intent")
    encoder = classifier.encoder
    trained = encoder.trained if isinstance(encoder, PackedEncoder) else encoder.variables
    variables = {id(used.handle): (used, origin) for used, origin in zip(encoder.variables, trained, strict=True)}
    holder.head = [classifier.kernel, classifier.bias, classifier.prior]
    holder.exact, holder.rounded, holder.parts = [], [], []
    stored: dict[int, tf.Tensor] = {}
    for handle, (used, origin) in variables.items():
        if classifier.description.weights == "int8" and rounding.is_large(origin):
            weight = Int8Weight(origin, used.dtype)
            holder.rounded.append(weight)
            # The saver looks for what initialisation reads at the top, not inside the resource.
            holder.parts += [weight.multiples, weight.steps]
            stored[handle] = weight.resource_handle
        else:
            holder.exact.append(used)
    heads = {id(variable.handle) for variable in holder.head}
    for function in functions:
        captured = function.captured_inputs
        function.set_external_captures([stored.get(id(tensor), tensor) for tensor in captured])
        if any(tensor.dtype == tf.resource and id(tensor) not in variables.keys() | heads for tensor in captured):
            # Hub's preprocessing keeps its vocabulary in a table. Ours has none, and is written as far as it is used.
            holder.preprocess = classifier.preprocess
    return holder
