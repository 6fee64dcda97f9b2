"""One mistake that people make in a tenant's files: what is changed, and what must be said at which line."""

from dataclasses import dataclass
from pathlib import Path

TENANT, PREFECT = "tenant.yaml", "prefect.yaml"
WAREHOUSE, PROGRAM, FIELDS = "warehouse/integration.yaml", "warehouse/program.py", "warehouse/fields.yaml"
INSTRUCTIONS = "warehouse/instructions.md"


@dataclass(frozen=True)
class Mistake:
    """One change of a file of the example tenant. `told` is said at the line that holds `at`."""

    name: str
    file: str
    old: str
    new: str
    at: str
    told: str

    def make(self, folder: Path) -> str:
        """Make it; gives the place at which it must be told."""
        path = folder / self.file
        text = path.read_text()
        assert text.count(self.old) >= 1, f"{self.name}: {self.old!r} is not in {self.file}"
        path.write_text(text.replace(self.old, self.new, 1))
        return self.at_line(folder)

    def at_line(self, folder: Path) -> str:
        path = folder / self.file
        lines = path.read_text().splitlines()
        return f"{path}:{next(at for at, line in enumerate(lines, 1) if self.at in line)}: "
