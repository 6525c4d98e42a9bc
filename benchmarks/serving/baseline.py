"""The original design, rebuilt over a trained classifier: Flask's development server around a Keras model.

python -m benchmarks.serving.baseline <classifier directory> <port>

One process, `app.run()` as it is without options, TensorFlow as it is without options, and a `model.predict` for every
request, on rows of 128 word pieces whatever the text.
"""

import sys
from pathlib import Path

import flask
import tensorflow as tf
import tensorflow_hub as hub
import tf_keras

from benchmarks.serving import fixed
from training.fit import classifier
from training.fit.classifier import TrainedClassifier


def build(trained: TrainedClassifier) -> tf_keras.Model:
    """String [rows] -> logits float32 [rows, 11], divided by the temperature, so that it answers as ours does."""
    text = tf_keras.layers.Input(shape=(), dtype=tf.string, name="text")
    packed = hub.KerasLayer(lambda texts: fixed.inputs(trained, texts), name="preprocessing")(text)
    pooled = hub.KerasLayer(trained.encoder, name="encoder")(packed)["pooled_output"]
    dense = tf_keras.layers.Dense(len(trained.labels), name="classifier")
    model = tf_keras.Model(text, dense(pooled))
    dense.set_weights([weights.numpy() / trained.temperature for weights in (trained.kernel, trained.bias)])
    return model


def application(trained: TrainedClassifier) -> flask.Flask:
    """`POST /predict {"text"}` -> intent and score."""
    model = build(trained)
    # Makes Keras compile its predict function: the first requests would do it all at the same time.
    model.predict([""])
    app = flask.Flask(__name__)

    @app.post("/predict")
    def predict() -> dict[str, str | float]:
        probabilities = tf.nn.softmax(model.predict([flask.request.get_json()["text"]]))[0].numpy()
        best = int(probabilities.argmax())
        return {"intent": trained.labels[best], "score": float(probabilities[best])}

    return app


if __name__ == "__main__":
    application(classifier.load(Path(sys.argv[1]))).run(port=int(sys.argv[2]))
