"""Checks a written SavedModel in the way the model server will use it, before it is published."""

from pathlib import Path

import numpy as np
import tensorflow as tf

from export.errors import CheckError
from export.label_set import label_set
from export.probes import PROBES
from export.signatures import CLASSIFY, CLASSIFY_METHOD, DIALOGUE
from training.data.dataset import ROLES
from training.fit.classifier import TrainedClassifier

# How far a probability may be from the trained classifier's, by the precision of the dense layers. float32 sums of
# another order (other padding, other batch) differ by about 1e-6. A bfloat16 has 8 significant bits: 0.003 off with the
# default classifier, 0.09 with one whose embeddings are random; another model's answers are further off.
TOLERANCES = {"float32": 1e-5, "bfloat16": 0.15}


def check_answers(saved_model: Path, classifier: TrainedClassifier, precision: str = "float32") -> None:
    """Loads by the v1 session loader, as the model server does, and compares every signature with the classifier.

    The SavedModel is asked for all probes at once and one by one: padding and the other rows of a batch must not make a
    difference.

    Raises:
        CheckError: the session cannot load or run it, a signature is off, or an answer differs.
    """
    expected = tf.nn.softmax(classifier.logits(PROBES)).numpy()
    # Context for every probe: each role in turn or none, and another probe as the previous turn.
    roles, previous = [("", *ROLES)[row % 3] for row in range(len(PROBES))], [*PROBES[1:], ""]
    with tf.compat.v1.Session(graph=tf.Graph()) as session:
        try:
            meta_graph = tf.compat.v1.saved_model.load(session, ["serve"], str(saved_model))
            ask = _Signatures(session, meta_graph)
            together = ask("serving_default", text=PROBES)
            alone = np.concatenate([ask("serving_default", text=[probe])["probabilities"] for probe in PROBES])
            classified = ask(CLASSIFY, inputs=[_example(probe) for probe in PROBES])
            named = ask("labels", label_index=range(len(classifier.labels)))
            ask("serving_default", text=[])
            if classifier.context != "none":
                told = ask(DIALOGUE, text=PROBES, role=roles, previous=previous)
                nothing = [""] * len(PROBES)
                untold = ask(DIALOGUE, text=PROBES, role=nothing, previous=nothing)
        except (tf.errors.OpError, ValueError) as error:
            raise CheckError(f"the model server could not run it: {str(error).splitlines()[0]}") from error
    if meta_graph.signature_def[CLASSIFY].method_name != CLASSIFY_METHOD:
        raise CheckError(f"the signature {CLASSIFY} lacks the method name {CLASSIFY_METHOD}")
    intents = [name.decode() for name in named["intent"]]
    if intents != list(classifier.labels):
        raise CheckError(f"the signature labels names {intents}, the classifier {list(classifier.labels)}")
    fingerprint = label_set(classifier.labels)
    answers = [together, named] if classifier.context == "none" else [together, named, told]
    if any(answer["label_set"].tolist() != [fingerprint] * len(answer["label_set"]) for answer in answers):
        raise CheckError(f"label_set is not {fingerprint}, the fingerprint of the intents, in every row")
    if classified["classes"].tolist() != [list(named["intent"])] * len(PROBES):
        raise CheckError(f"the signature {CLASSIFY} does not name the intents in label order")
    if together["label_index"].tolist() != together["probabilities"].argmax(axis=1).tolist():
        raise CheckError("label_index is not the index of the highest probability")
    pairs = [(found, expected) for found in (together["probabilities"], alone, classified["scores"])]
    if classifier.context != "none":
        pairs.append((told["probabilities"], tf.nn.softmax(classifier.logits(PROBES, roles, previous)).numpy()))
        pairs.append((untold["probabilities"], expected))
    worst = max(float(abs(found - wanted).max()) for found, wanted in pairs)
    tolerance = TOLERANCES[precision]
    # Written so that NaN fails too.
    if not worst <= tolerance:
        raise CheckError(
            f"probabilities differ from the trained classifier's by up to {worst:.2g} (at most {tolerance})"
        )


class _Signatures:
    """Runs signatures of a loaded MetaGraph by name."""

    def __init__(self, session: tf.compat.v1.Session, meta_graph: tf.compat.v1.MetaGraphDef) -> None:
        self._session = session
        self._signatures = meta_graph.signature_def

    def __call__(self, signature: str, **inputs: object) -> dict[str, np.ndarray]:
        if signature not in self._signatures:
            raise CheckError(f"the signature {signature} is missing")
        definition = self._signatures[signature]
        feeds = {definition.inputs[name].name: list(value) for name, value in inputs.items()}  # type: ignore[call-overload]
        answer: dict[str, np.ndarray] = self._session.run(
            {name: output.name for name, output in definition.outputs.items()}, feeds
        )
        return answer


def _example(text: str) -> bytes:
    feature = tf.train.Feature(bytes_list=tf.train.BytesList(value=[text.encode()]))
    serialized: bytes = tf.train.Example(features=tf.train.Features(feature={"text": feature})).SerializeToString()
    return serialized
