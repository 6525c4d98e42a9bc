"""All that is generated, by the file that holds it."""

from pathlib import Path

from cloudformation.documents import cost, facts, picture, tables
from cloudformation.documents.blocks import replaced
from cloudformation.template.files import KINDS, TEMPLATES, load

DOCS = Path(__file__).parent.parent.parent / "docs"


def made(docs: Path) -> dict[Path, str]:
    """The documents as they should be."""
    templates = {kind: load(TEMPLATES[kind]) for kind in KINDS}
    found = facts.read(templates)
    bill = cost.items(found)
    blocks = {
        "deployment.md": {
            "parameters": tables.parameters(templates),
            "rollouts": tables.rollouts(templates["service"]),
            "memory": tables.memory(found),
            "cost": cost.table(bill),
            "prices": cost.sources(bill),
        },
        "runbook.md": {"alarms": tables.alarms(found)},
    }
    documents = {docs / name: replaced((docs / name).read_text(), content) for name, content in blocks.items()}
    return documents | {docs / "images" / "deployment.svg": picture.draw(found)}
