"""Measurements as text, for Prometheus and whoever else collects them.

OpenMetrics 1.0, section "Text Format", and the older text format of Prometheus (0.0.4), which
differs in a few words.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    Labels = Mapping[str, str]

__all__ = ["CONTENT_TYPE", "OLDER_CONTENT_TYPE", "Family", "counter", "exposition", "gauge"]
__all__ += ["histogram"]

#: The media types of both formats, as Content-Type has them.
CONTENT_TYPE = "application/openmetrics-text; version=1.0.0; charset=utf-8"
OLDER_CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"


class Family:
    """Metrics of one name: ``lines`` are its samples. Made by the functions below."""

    __slots__ = ("help", "kind", "lines", "name")

    def __init__(self, name: str, kind: str, help: str, lines: Iterable[str]) -> None:
        self.name = name
        self.kind = kind
        self.help = help
        self.lines = lines


def counter(name: str, help: str, samples: Iterable[tuple[Labels, float]]) -> Family:
    """What only grows. Its samples are called ``name_total``."""
    lines = [f"{name}_total{_labels(labels)} {_number(value)}" for labels, value in samples]
    return Family(name, "counter", help, lines)


def gauge(name: str, help: str, samples: Iterable[tuple[Labels, float]]) -> Family:
    """What goes up and down."""
    lines = [f"{name}{_labels(labels)} {_number(value)}" for labels, value in samples]
    return Family(name, "gauge", help, lines)


def histogram(
    name: str,
    help: str,
    bounds: Sequence[float],
    samples: Iterable[tuple[Labels, Sequence[int], float]],
) -> Family:
    """How values are distributed.

    :param bounds: the upper bounds of the buckets, in ascending order, without infinity.
    :param samples: the labels, how many values fell into each bucket and above the last, and the
        sum of all values.
    """

    def lines() -> Iterator[str]:
        edges = [*map(_number, map(float, bounds)), "+Inf"]
        for labels, counts, total in samples:
            reached = 0
            for edge, count in zip(edges, counts, strict=True):
                reached += count
                yield f"{name}_bucket{_labels({**labels, 'le': edge})} {reached}"
            yield f"{name}_count{_labels(labels)} {reached}"
            yield f"{name}_sum{_labels(labels)} {_number(total)}"

    return Family(name, "histogram", help, lines())


def exposition(families: Iterable[Family], *, older: bool = False) -> str:
    """All families as text.

    :param older: write the older format, in which a counter's family has the name of its samples,
        and there are neither units nor an end.
    """
    lines = []
    for family in families:
        name = family.name
        if older and family.kind == "counter":
            name += "_total"
        lines.append(f"# TYPE {name} {family.kind}")
        unit = name.rpartition("_")[2]
        if unit in ("seconds", "bytes") and not older:
            lines.append(f"# UNIT {name} {unit}")
        lines.append(f"# HELP {name} {_escaped(family.help)}")
        lines += family.lines
    if not older:
        lines.append("# EOF")
    return "\n".join(lines) + "\n"


def _number(value: float) -> str:
    return repr(value) if isinstance(value, float) else str(int(value))


def _labels(labels: Labels) -> str:
    if not labels:
        return ""
    pairs = [f'{name}="{_escaped(value)}"' for name, value in labels.items()]
    return f"{{{','.join(pairs)}}}"


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace("\n", "\\n").replace('"', '\\"')
