"""Journal: what arrived and what it did. Tests prove their claims with it."""

from collections import Counter, deque
from dataclasses import dataclass
from datetime import datetime

from connectors.sandbox.healthie.call import Effect
from connectors.sandbox.healthie.rows import Row

KEPT = 20_000  # the newest so many of each


@dataclass(slots=True)
class Arrival:
    """One request to /graphql."""

    number: int
    at: datetime
    operation: str | None
    roots: tuple[str, ...]
    user_id: str | None = None
    complexity: int = 0
    status: int = 0
    trouble: str | None = None
    milliseconds: float = 0.0


class Journal:
    """Counts are since the last reset; request numbers go on."""

    def __init__(self) -> None:
        self.count = 0
        self.number = 0
        self.roots: Counter[str] = Counter()
        self.arrivals: deque[Arrival] = deque(maxlen=KEPT)
        self.effects: deque[tuple[int, Effect]] = deque(maxlen=KEPT)
        self.notes: Counter[str] = Counter()

    def reset(self) -> None:
        self.count = 0
        for log in (self.roots, self.arrivals, self.effects, self.notes):
            log.clear()

    def arrived(self, at: datetime, operation: str | None, roots: tuple[str, ...]) -> Arrival:
        self.count += 1
        self.number += 1
        self.roots.update(roots)
        arrival = Arrival(self.number, at, operation, roots)
        self.arrivals.append(arrival)
        return arrival

    def requests(self) -> Row:
        return {
            "count": self.count,
            "roots": dict(self.roots),
            "requests": [
                {
                    **{"number": one.number, "at": one.at.isoformat(), "operation": one.operation},
                    **{"roots": list(one.roots), "user_id": one.user_id, "complexity": one.complexity},
                    **{
                        "status": one.status,
                        "trouble": one.trouble,
                        "milliseconds": round(one.milliseconds, 3),
                    },
                }
                for one in self.arrivals
            ],
        }

    def effects_since(self, root: str | None) -> list[Row]:
        return [
            {
                **{"request": number, "root": one.root, "input": one.asked, "applied": bool(one.changes)},
                "changes": [
                    {"act": change.act, "type": change.type, "id": change.id, "fields": list(change.fields)}
                    for change in one.changes
                ],
                **{"mails": [list(mail) for mail in one.mails], "messages": list(one.messages)},
            }
            for number, one in self.effects
            if root is None or one.root == root
        ]
