"""The stand-in's own clock: real time, shifted, or standing still."""

from datetime import UTC, datetime, timedelta


class Clock:
    """What time it is for every stamp the stand-in makes."""

    def __init__(self, start: datetime | None = None) -> None:
        self._shift = timedelta()
        self._frozen: datetime | None = start

    def now(self) -> datetime:
        return self._frozen or datetime.now(UTC) + self._shift

    def set(self, now: datetime, *, frozen: bool) -> None:
        """From this instant on it is `now`; it runs on from there unless frozen."""
        self._frozen = now if frozen else None
        self._shift = now - datetime.now(UTC)

    def advance(self, seconds: float) -> None:
        step = timedelta(seconds=seconds)
        self._shift += step
        if self._frozen is not None:
            self._frozen += step
