"""How many requests have left: counted on the line that sends, by several threads at once."""

import threading


class Sent:
    """A count that only rises."""

    def __init__(self) -> None:
        self._number = 0
        self._lock = threading.Lock()

    @property
    def number(self) -> int:
        return self._number

    def one(self) -> None:
        with self._lock:
            self._number += 1
