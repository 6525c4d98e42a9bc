"""Simple classifiers to compare with: the commonest intent, and a linear model over word counts."""

from collections.abc import Callable

import numpy as np
import pandas as pd
from sklearn.compose import ColumnTransformer
from sklearn.dummy import DummyClassifier
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import OneHotEncoder
from threadpoolctl import threadpool_limits

from training.data.dataset import SPLITS, Dataset
from training.report.predictions import LEAST_PROBABILITY, Predictions

# Added to every text, since scikit-learn refuses a column of empty texts, which has no vocabulary.
END = " \u00b6"
# Words and marks; a question mark is a good feature.
TOKEN = r"\w+|[^\w\s]"
# min_df 2 drops the half of the columns that occur in one row only; float32 halves the time.
TFIDF = {"min_df": 2, "sublinear_tf": True, "dtype": np.float32}
# Chosen among 1, 3 and 10 by macro-F1 on validation. A smaller tolerance only takes longer.
INVERSE_REGULARISATION = 10
TOLERANCE = 1e-3


def majority() -> Pipeline:
    """Always the commonest intent of the training split, with its share as the probability."""
    return make_pipeline(DummyClassifier(strategy="prior"))


def text_alone() -> Pipeline:
    """TF-IDF of words, pairs of words, and parts of words of 2 to 4 letters, which help most where rows are few."""
    return _linear(*_of_text())


def with_context() -> Pipeline:
    """The same, with the role, and the words of the turn before apart from those of the text."""
    role = ("role", OneHotEncoder(handle_unknown="ignore", dtype=np.float32), ["role"])
    return _linear(*_of_text(), role, ("previous", _words(), "previous"))


BASELINES: dict[str, Callable[[], Pipeline]] = {
    "majority": majority,
    "TF-IDF": text_alone,
    "TF-IDF, with context": with_context,
}


def predict(dataset: Dataset, labels: tuple[str, ...]) -> dict[str, dict[str, Predictions]]:
    """Baseline -> split -> its answers, after training on the training split."""
    # The matrices are so small that more threads only take more CPU.
    with threadpool_limits(1, "blas"):
        return {name: _predict(make(), dataset, labels) for name, make in BASELINES.items()}


def _predict(model: Pipeline, dataset: Dataset, labels: tuple[str, ...]) -> dict[str, Predictions]:
    train = dataset.split("train")
    model.fit(_ended(train), train["intent"])
    # An intent that has no training row is none of the model's classes.
    columns = [labels.index(intent) for intent in model.classes_]
    found = {}
    for split in SPLITS:
        rows = dataset.split(split)
        if not rows.empty:
            probabilities = np.zeros((len(rows), len(labels)))
            probabilities[:, columns] = model.predict_proba(_ended(rows))
            found[split] = Predictions(rows, labels, np.log(np.maximum(probabilities, LEAST_PROBABILITY)))
    return found


def _ended(rows: pd.DataFrame) -> pd.DataFrame:
    return rows.assign(text=rows["text"] + END, previous=rows["previous"] + END)


def _of_text() -> list[tuple[str, TfidfVectorizer, str]]:
    parts = TfidfVectorizer(analyzer="char_wb", ngram_range=(2, 4), **TFIDF)
    return [("words", _words(), "text"), ("parts", parts, "text")]


def _words() -> TfidfVectorizer:
    return TfidfVectorizer(token_pattern=TOKEN, ngram_range=(1, 2), **TFIDF)


def _linear(*features: tuple[str, object, object]) -> Pipeline:
    model = LogisticRegression(C=INVERSE_REGULARISATION, tol=TOLERANCE, max_iter=1000)
    return make_pipeline(ColumnTransformer(list(features)), model)
