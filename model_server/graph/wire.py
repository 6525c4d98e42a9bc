"""Protobuf's wire format, to write answers without message objects.

A model's run empties the processor's caches, so the first message objects after it cost ten times as much as later
ones. Joining bytes touches a third of the memory.
"""

_SMALL = [bytes([number]) for number in range(0x80)]


def varint(number: int) -> bytes:
    """A whole number; a negative one as its 64 bits."""
    if 0 <= number < 0x80:
        return _SMALL[number]
    number &= 0xFFFFFFFFFFFFFFFF
    groups = bytearray()
    while number > 0x7F:
        groups.append(number & 0x7F | 0x80)
        number >>= 7
    groups.append(number)
    return bytes(groups)


def key(field: int) -> bytes:
    """The tag of a field whose content has a length: bytes, text, a message or packed numbers."""
    return varint(field << 3 | 2)


def block(start: bytes, content: bytes) -> bytes:
    """A field with a length; `start` is its `key`."""
    return start + varint(len(content)) + content
