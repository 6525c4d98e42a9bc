"""The hub-shaped pair, preprocessing and encoder, that `--encoder` names:

- a TensorFlow Hub handle (https://tfhub.dev/...), whose preprocessing handle is looked up here;
- a directory: one that holds `preprocess/` and `encoder/`, or an encoder SavedModel with `--preprocess` beside it;
- `minilm`, or `minilm:N` for its first N layers: written once into the cache as such a pair.

All other modules know only hub-shaped pairs.
"""

import hashlib
import re
import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path

from training.data.download import cache_directory
from training.errors import EncoderError

_MINILM = re.compile(r"minilm(?::(?P<layers>\d+))?")
# Encoder handle -> preprocessing handle, from the encoders' pages on TensorFlow Hub; the first match counts.
_PREPROCESSING = (
    (r"/bert_multi_cased_", "bert_multi_cased_preprocess/3"),
    (r"/bert_zh_", "bert_zh_preprocess/3"),
    (r"/(small_bert/)?bert_en_cased_|/bert_en_wwm_cased_", "bert_en_cased_preprocess/3"),
    (r"/albert_en_", "albert_en_preprocess/3"),
    (r"/(small_bert/)?bert_en_uncased_|/bert_en_wwm_uncased_", "bert_en_uncased_preprocess/3"),
    (r"/experts/bert/|/talkheads_ggelu_bert_en_|google/electra_", "bert_en_uncased_preprocess/3"),
)


@dataclass(frozen=True)
class Encoder:
    """A hub-shaped pair, by handle or path, and the name it is reported under."""

    name: str
    preprocess: str
    encoder: str


def resolve(name: str, preprocess: str | None = None) -> Encoder:
    """Finds the pair that `name` (a handle, a directory, `minilm[:N]`) stands for; `preprocess` overrides its half.

    Raises:
        EncoderError: not a known kind of encoder, or its preprocessing cannot be told.
    """
    minilm = _MINILM.fullmatch(name)
    if minilm:
        pair = _minilm_pair(int(minilm["layers"] or 6))
    elif name.startswith(("https://", "http://")):
        return Encoder(name, preprocess or _matching_preprocessing(name), name)
    else:
        pair = Path(name)
    if _is_saved_model(pair / "encoder") and _is_saved_model(pair / "preprocess"):
        return Encoder(name, preprocess or str(pair / "preprocess"), str(pair / "encoder"))
    if not _is_saved_model(pair):
        raise EncoderError(
            f"--encoder {name}: neither a Hub handle, nor `minilm` or `minilm:N`, nor a directory with a SavedModel"
        )
    if preprocess is None:
        raise EncoderError(f"--encoder {name}: name its preprocessing (a Hub handle or a directory) with --preprocess")
    return Encoder(name, preprocess, str(pair))


def _matching_preprocessing(handle: str) -> str:
    for pattern, preprocessing in _PREPROCESSING:
        if re.search(pattern, handle):
            return f"https://tfhub.dev/tensorflow/{preprocessing}"
    raise EncoderError(f"--encoder {handle}: its matching preprocessing is not known; name it with --preprocess")


def _minilm_pair(layers: int) -> Path:
    """The pair with this many layers, which is written into the cache on first use."""
    from training.encoder import bert, minilm, preprocess

    if not 1 <= layers <= minilm.LAYERS:
        raise EncoderError(
            f"--encoder minilm:{layers}: MiniLM has {minilm.LAYERS} layers; ask for 1 to {minilm.LAYERS}"
        )
    # The name changes with the code that writes the pair, so a cache never serves what older code wrote.
    code = b"".join(Path(module.__file__ or "").read_bytes() for module in (bert, minilm, preprocess))
    pair = cache_directory() / "encoders" / f"minilm-{layers}-{hashlib.sha256(code).hexdigest()[:12]}"
    if not pair.exists():
        pair.parent.mkdir(parents=True, exist_ok=True)
        part = Path(tempfile.mkdtemp(dir=pair.parent))
        try:
            minilm.save_minilm(layers, part / "preprocess", part / "encoder")
            part.rename(pair)
        except OSError:
            # Another process may have written the same pair meanwhile.
            if not pair.exists():
                raise
        finally:
            shutil.rmtree(part, ignore_errors=True)
    return pair


def _is_saved_model(path: Path) -> bool:
    return (path / "saved_model.pb").is_file()
