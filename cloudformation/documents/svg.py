"""A few shapes of SVG, as text that is the same for the same input."""

from collections.abc import Sequence
from dataclasses import dataclass
from xml.sax.saxutils import escape, quoteattr

Point = tuple[float, float]


@dataclass(frozen=True)
class Box:
    """A rectangle; y grows downwards."""

    x: float
    y: float
    width: float
    height: float

    @property
    def left(self) -> Point:
        """The middle of that side; so are the others."""
        return self.x, self.y + self.height / 2

    @property
    def right(self) -> Point:
        return self.x + self.width, self.y + self.height / 2

    @property
    def top(self) -> Point:
        return self.x + self.width / 2, self.y

    @property
    def bottom(self) -> Point:
        return self.x + self.width / 2, self.y + self.height


def element(name: str, content: str = "", **attributes: object) -> str:
    """One element; `_` in an attribute's name stands for `-`, and at its end for nothing."""
    words = [
        name,
        *(f"{key.rstrip('_').replace('_', '-')}={quoteattr(_text(value))}" for key, value in attributes.items()),
    ]
    opening = " ".join(words)
    return f"<{opening}>{content}</{name}>" if content else f"<{opening}/>"


def rectangle(box: Box, kind: str, radius: float = 8) -> str:
    """The box, with the look of the class `kind`."""
    return element("rect", x=box.x, y=box.y, width=box.width, height=box.height, rx=radius, class_=kind)


def text(at: Point, content: str, kind: str, anchor: str = "start") -> str:
    """One line; `at` is the beginning, middle or end of its base line."""
    return element("text", escape(content), x=at[0], y=at[1], text_anchor=anchor, class_=kind)


def lines(at: Point, contents: Sequence[str], kind: str, anchor: str = "start", height: float = 17) -> str:
    """Lines below each other, the first at `at`."""
    return "\n".join(text((at[0], at[1] + place * height), line, kind, anchor) for place, line in enumerate(contents))


def arrow(points: Sequence[Point], kind: str = "flow") -> str:
    """Straight lines from point to point, with a head at the last one."""
    path = "M" + " L".join(f"{_text(x)} {_text(y)}" for x, y in points)
    return element("path", d=path, class_=kind, marker_end=f"url(#{kind})")


def _text(value: object) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value)
