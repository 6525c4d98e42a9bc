"""The fingerprint of a label list, calculated here from the words of the contract."""

import hashlib

import pytest

from export.label_set import label_set


@pytest.mark.parametrize(
    ("labels", "array"),
    [
        (["stop"], '["stop"]'),
        (["chitchat", "stop"], '["chitchat","stop"]'),
        (["stop", "chitchat"], '["stop","chitchat"]'),
        (["crème brûlée", 'say "stop"', "a\\b"], '["crème brûlée","say \\"stop\\"","a\\\\b"]'),
    ],
    ids=["one", "two", "another order", "accents and escapes"],
)
def test_it_is_the_first_63_bits_of_the_json_array(labels: list[str], array: str) -> None:
    bits = "".join(f"{byte:08b}" for byte in hashlib.sha256(array.encode()).digest())
    assert label_set(labels) == int(bits[:63], 2)
