"""Numbers as the stock server writes them into JSON."""

from decimal import Decimal

import numpy as np

# Digits that every value survives, by the number of bytes of its type.
_ALL_DIGITS = {4: "%.9g", 8: "%.17g"}
# RapidJSON writes up to this many digits before the point, and this many zeros after it, without an exponent.
_MAX_WHOLE_DIGITS = 21
_MAX_ZEROS = 5


def decimals(array: np.ndarray) -> list[str]:
    """The elements of a float32 or float64 array, in order: six significant digits where they give the value back,
    else all; always with a point or an exponent; `NaN`, `Infinity`."""
    flat = array.ravel()
    values = flat.tolist()
    texts = ("%g " * len(values) % tuple(values)).split()
    with np.errstate(over="ignore"):
        read_back = np.array([float(text) for text in texts]).astype(flat.dtype)
    for position in np.flatnonzero(read_back != flat).tolist():
        texts[position] = _ALL_DIGITS[flat.itemsize] % values[position]
    texts = [text if "." in text or "e" in text else text + ".0" for text in texts]
    for position in np.flatnonzero(~np.isfinite(flat)).tolist():
        texts[position] = _unbounded(values[position])
    return texts


def _unbounded(value: float) -> str:
    return "NaN" if value != value else "Infinity" if value > 0 else "-Infinity"


def decimal(value: float) -> str:
    """One number, as a float32 where it is in the range of that type."""
    single = float(np.finfo(np.float32).max)
    return decimals(np.array([value], np.float32 if abs(value) <= single else np.float64))[0]


def shortest(value: float) -> str:
    """RapidJSON's own notation of a finite double: the fewest digits that give it back."""
    sign, digit_tuple, exponent = Decimal(repr(value)).as_tuple()
    digits = "".join(map(str, digit_tuple)).rstrip("0")
    point = len(digit_tuple) + int(exponent)
    minus = "-" * sign
    if not digits:
        return minus + "0.0"
    if len(digits) <= point <= _MAX_WHOLE_DIGITS:
        return minus + digits.ljust(point, "0") + ".0"
    if 0 < point <= _MAX_WHOLE_DIGITS:
        return f"{minus}{digits[:point]}.{digits[point:]}"
    if -_MAX_ZEROS <= point <= 0:
        return f"{minus}0.{'0' * -point}{digits}"
    return f"{minus}{digits[0]}{'.' if len(digits) > 1 else ''}{digits[1:]}e{point - 1}"
