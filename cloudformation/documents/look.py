"""What the picture looks like: its size, colours, frames."""

from collections.abc import Iterator

from cloudformation.documents.facts import DEPLOYMENT, Found
from cloudformation.documents.svg import Box, element, rectangle, text

WIDTH, HEIGHT = 1240, 912
COLOURS = {
    "artifacts": "#15803d",
    "network": "#1d4ed8",
    "balancer": "#7e22ce",
    "image": "#0f766e",
    "service": "#c2410c",
    "observability": "#be185d",
}
"""By the stack that makes what is drawn."""

_STYLE = """
text { font-family: Inter, "Helvetica Neue", Helvetica, Arial, sans-serif; font-size: 14px; fill: #1f2937 }
text.title { font-weight: 600 }
text.small { font-size: 12.5px; fill: #4b5563 }
text.label { font-size: 12.5px; font-weight: 600; fill: #374151; paint-order: stroke; stroke: #fff; stroke-width: 5px }
rect.page { fill: #fff }
rect.plain { fill: #f9fafb; stroke: #9ca3af; stroke-width: 1.5 }
rect.zone { fill: none; stroke: #60a5fa; stroke-width: 1.5; stroke-dasharray: 5 5 }
rect.process { fill: #fff; stroke: #c2410c; stroke-width: 1.25 }
path.flow { fill: none; stroke: #374151; stroke-width: 2 }
path.option { fill: none; stroke: #6b7280; stroke-width: 1.5; stroke-dasharray: 5 4 }
marker path { fill: #374151 }
"""


def _frame_style(stack: str) -> str:
    colour = COLOURS[stack]
    return (
        f"rect.{stack} {{ fill: {colour}; fill-opacity: 0.06; stroke: {colour}; stroke-width: 1.75 }}\n"
        f"text.{stack} {{ fill: {colour}; font-weight: 600; font-size: 12.5px }}\n"
    )


def _head(kind: str) -> str:
    shape = element("path", d="M0 0 L8 4 L0 8 z")
    size = {"markerWidth": 8, "markerHeight": 8, "refX": 7, "refY": 4, "markerUnits": "userSpaceOnUse"}
    return element("marker", shape, id=kind, orient="auto", **size)


def stack_of(found: Found) -> str:
    return found.stack.removeprefix(f"{DEPLOYMENT}-")


def frame(box: Box, found: Found, title: str) -> Iterator[str]:
    """A box in the colour of the resource's stack, with the stack's name at the right."""
    yield rectangle(box, stack_of(found))
    yield text((box.x + 14, box.y + 22), title, "title")
    yield text((box.x + box.width - 14, box.y + 22), found.stack, stack_of(found), "end")


def page(parts: Iterator[str]) -> str:
    """The whole picture."""
    style = element("style", _STYLE + "".join(map(_frame_style, COLOURS)))
    first = [style, element("defs", _head("flow")), rectangle(Box(0, 0, WIDTH, HEIGHT), "page", 0)]
    content = "\n".join([*first, *parts])
    box = f"0 0 {WIDTH} {HEIGHT}"
    return element("svg", f"\n{content}\n", xmlns="http://www.w3.org/2000/svg", viewBox=box, width=WIDTH) + "\n"
