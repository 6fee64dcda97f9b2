"""The results: one table for the terminal and for RESULTS.md, so that the README can repeat it."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from rich.console import Console
from rich.table import Table

from benchmarks.figures import Breakdown, Figure, Measurement

HEAD = ("figure", "measured here", "target", "reached", "how it was measured")
STEPS_HEAD = ("step", "on the wall", "processor, this process")
DISTURBED = (
    "Absolute times hold for this machine; other work on it makes them longer, the counts it leaves alone."
)


@dataclass(frozen=True, slots=True)
class Results:
    """What the asked benchmarks gave, in their order."""

    machine: str
    day: date
    measurements: Sequence[Measurement]

    @property
    def figures(self) -> list[Figure]:
        return [figure for one in self.measurements for figure in one.figures]

    @property
    def breakdowns(self) -> list[Breakdown]:
        return [breakdown for one in self.measurements for breakdown in one.breakdowns]

    @property
    def words(self) -> list[str]:
        return [word for one in self.measurements for word in one.words]

    def show(self, out: Console) -> None:
        """The figures, where the time goes, and the words, in the terminal."""
        table = Table(*HEAD, title=f"Measured {self.day.isoformat()}", show_lines=True)
        for figure in self.figures:
            style = "red" if figure.reached is False else None
            table.add_row(*_cells(figure), style=style)
        out.print(table)
        for breakdown in self.breakdowns:
            steps = Table(*STEPS_HEAD, title=breakdown.title)
            for row in _steps(breakdown):
                steps.add_row(*row)
            out.print(steps)
        out.print(f"On {self.machine}.", markup=False, highlight=False)
        for word in self.words:
            out.print(f"- {word}", markup=False, highlight=False)

    def write(self, path: Path) -> None:
        path.write_text("\n".join(self._lines()) + "\n", encoding="utf-8")

    def _lines(self) -> Iterator[str]:
        yield "# Results of `make bench`"
        yield ""
        yield f"Measured {self.day.isoformat()} on {self.machine}. {DISTURBED}"
        yield ""
        yield from _markdown(HEAD, [_cells(figure) for figure in self.figures])
        for breakdown in self.breakdowns:
            yield ""
            yield f"## {breakdown.title}"
            yield ""
            yield f"Milliseconds per entry; {breakdown.how}."
            yield ""
            yield from _markdown(STEPS_HEAD, _steps(breakdown))
        if self.words:
            yield ""
            yield "## Beside the figures"
            yield ""
            yield from (f"- {word}" for word in self.words)


def _cells(figure: Figure) -> tuple[str, ...]:
    return figure.what, figure.measured, figure.target, figure.verdict, figure.how


def _steps(breakdown: Breakdown) -> list[tuple[str, ...]]:
    wall, cpu = (sum(each) for each in zip(*breakdown.steps.values(), strict=True))
    steps = {**breakdown.steps, "in all": (wall, cpu)}
    return [(name, f"{spent[0]:.3f}", f"{spent[1]:.3f}") for name, spent in steps.items()]


def _markdown(head: Sequence[str], rows: Sequence[Sequence[str]]) -> Iterator[str]:
    yield f"| {' | '.join(head)} |"
    yield f"|{'---|' * len(head)}"
    for row in rows:
        yield f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in row)} |"
