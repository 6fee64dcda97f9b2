"""Starts the probe's server as a process of its own, so that its state outlives a killed engine."""

import subprocess
import sys
from types import TracebackType
from typing import IO, Self, cast

import httpx
from pydantic import TypeAdapter

from connectors.errors import Transient
from connectors.sandbox.probe.faults import Faults
from connectors.sandbox.probe.state import Effect

EFFECTS = TypeAdapter(list[Effect])
GRACE = 5.0  # seconds to end by itself


class ProbeServer:
    """A running server. Use it as a context manager."""

    def __init__(self, port: int = 0) -> None:
        self._process = subprocess.Popen(  # noqa: S603  # our own module, no words of others
            [sys.executable, "-m", "connectors.sandbox.probe", "--port", str(port)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self._input, self._output = (
            cast(IO[str], pipe) for pipe in (self._process.stdin, self._process.stdout)
        )
        line = self._output.readline().strip()
        if not line.isdecimal():
            self.close()
            raise Transient("not_started", "probe: the server did not start")
        self.url = f"http://127.0.0.1:{line}"

    def set_faults(self, faults: Faults) -> None:
        """What goes wrong from now on. Counting the writes begins anew."""
        answer = httpx.post(f"{self.url}/control/faults", content=faults.model_dump_json(), trust_env=False)
        answer.raise_for_status()

    def effects(self) -> list[Effect]:
        """Everything that was applied, in order."""
        answer = httpx.get(f"{self.url}/control/effects", trust_env=False).raise_for_status()
        return EFFECTS.validate_json(answer.content)

    def requests(self) -> int:
        """How many writes arrived since the faults were set, whatever became of them."""
        return int(httpx.get(f"{self.url}/control/requests", trust_env=False).raise_for_status().text)

    def reads(self) -> int:
        """How many reads of what it holds arrived since it was started."""
        return int(httpx.get(f"{self.url}/control/reads", trust_env=False).raise_for_status().text)

    def close(self) -> None:
        """End the process that this object started."""
        self._input.close()
        try:
            self._process.wait(GRACE)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._output.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
