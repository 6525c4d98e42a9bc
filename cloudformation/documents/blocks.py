"""The parts of a Markdown document that are generated, between two comments each."""

import re
from collections.abc import Mapping


def replaced(document: str, blocks: Mapping[str, str]) -> str:
    """The document with these contents between `<!-- generated: NAME -->` and `<!-- end of NAME -->`.

    Raises:
        KeyError: the document lacks a block of these, or has another.
    """
    found = re.findall(r"^<!-- generated: (\w+) -->$", document, re.MULTILINE)
    if sorted(found) != sorted(blocks):
        raise KeyError(f"the document has the blocks {sorted(found)}; there are {sorted(blocks)}")
    for name, content in blocks.items():
        begin, end = (f"<!-- {kind} {name} -->\n" for kind in ("generated:", "end of"))
        before, _, rest = document.partition(begin)
        document = f"{before}{begin}\n{content}\n\n{end}{rest.partition(end)[2]}"
    return document
