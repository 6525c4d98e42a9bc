"""Numbers on the command line, as types of argparse: each says what is wrong with another one."""

import argparse


def whole(text: str) -> int:
    """1 or more."""
    if not (text.isascii() and text.isdigit() and int(text) >= 1):
        raise argparse.ArgumentTypeError(f"{text} is no whole number above 0")
    return int(text)


def share(text: str) -> float:
    """0 to 1."""
    return _number(text, 0, 1)


def seconds(text: str) -> float:
    """A millisecond to a day."""
    return _number(text, 0.001, 86400)


def _number(text: str, least: float, most: float) -> float:
    try:
        number = float(text)
    except ValueError:
        number = float("nan")
    if not least <= number <= most:
        raise argparse.ArgumentTypeError(f"{text} is no number from {least:g} to {most:g}")
    return number
