"""Markdown tables of what was measured."""

import statistics
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

OURS = "clm"


@dataclass
class Row:
    """One program with one number of threads: every run of it, in order."""

    name: str
    threads: int
    runs: list[dict[str, Any]] = field(default_factory=list)
    note: str = ""  # what is to be said about its ids

    @property
    def ours(self) -> bool:
        """Whether this is the project's own."""
        return self.name.startswith(OURS)

    def times(self, name: str, clock: str) -> list[float]:
        """Seconds of every run of a pass."""
        return [run["passes"][name][clock] for run in self.runs if name in run["passes"]]

    def speeds(self, name: str, clock: str = "wall") -> list[float]:
        """MB/s of every run of a pass. Processor seconds say nothing about speed when there are several threads."""
        runs = [run["passes"][name] for run in self.runs if name in run["passes"]]
        return [run["bytes"] / 1e6 / max(run[clock if self.threads == 1 else "wall"], 1e-9) for run in runs]

    def speed(self, name: str, clock: str = "wall") -> float:
        """Median MB/s; 0 when the pass was not run."""
        speeds = self.speeds(name, clock)
        return statistics.median(speeds) if speeds else 0.0

    def memory(self, key: str) -> float:
        """Median MiB."""
        values = [run[key] for run in self.runs if key in run]
        return statistics.median(values) if values else 0.0


def number(value: float) -> str:
    """Three digits, no more."""
    if value <= 0:
        return "-"
    return f"{value:.0f}" if value >= 100 else f"{value:.1f}" if value >= 10 else f"{value:.2f}"


def markdown(header: list[str], rows: Iterable[list[str]]) -> str:
    """A table whose first column is text."""
    lines = [header, ["---", *["---:"] * (len(header) - 1)], *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def speed_table(rows: list[Row], passes: list[str], clock: str = "wall") -> str:
    """Median (best) MB/s of each pass, memory, and whether the ids agree."""

    def cell(row: Row, name: str) -> str:
        speeds = row.speeds(name, clock)
        return f"{number(statistics.median(speeds))} ({number(max(speeds))})" if speeds else "-"

    header = ["MB/s, median (best)", "threads", *passes, "peak MiB", "above its text", "same ids"]
    return markdown(
        header,
        [
            [
                row.name,
                str(row.threads),
                *[cell(row, name) for name in passes],
                number(row.memory("peak_mib")),
                number(row.memory("peak_mib") - row.memory("base_mib")),
                row.note,
            ]
            for row in rows
        ],
    )


def ratio_table(rows: list[Row], passes: list[str], ours: str, clock: str = "wall") -> str:
    """How many times as fast `ours` is as every other program with as many threads; medians of the same rounds."""
    own = {row.threads: row for row in rows if row.name == ours}

    def cell(row: Row, name: str) -> str:
        mine, other = own[row.threads].speed(name, clock), row.speed(name, clock)
        return f"{mine / other:.2f}" if mine > 0 and other > 0 else "-"

    header = [f"{ours} /", "threads", *passes]
    body = [
        [row.name, str(row.threads), *[cell(row, name) for name in passes]]
        for row in rows
        if not row.ours and row.threads in own and ("files" in row.name or "files" not in ours)
    ]
    return markdown(header, body)


def scaling_lines(rows: list[Row], passes: list[str]) -> list[str]:
    """Wall speed with more threads over speed with one, for the project's own rows."""
    lines = []
    for row in rows:
        one = next((other for other in rows if other.name == row.name and other.threads == 1), None)
        if not row.ours or row.threads == 1 or one is None:
            continue
        for name in passes:
            if row.speed(name) > 0 and one.speed(name) > 0:
                lines.append(f"{row.name}, {name}: {row.threads} threads {row.speed(name) / one.speed(name):.2f}x one")
    return lines
