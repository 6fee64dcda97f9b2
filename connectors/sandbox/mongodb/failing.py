"""`configureFailPoint: failCommand`, as a real server's tests have it: what goes wrong with which command.

https://github.com/mongodb/mongo/wiki/The-%22failCommand%22-fail-point
"""

import time
from dataclasses import dataclass, field
from typing import Any, Literal

from connectors.sandbox.mongodb.refusals import Refusal
from connectors.sandbox.mongodb.wire import Document, is_document

Act = Literal["go on", "close", "close after"]


@dataclass
class FailPoint:
    """Called under the server's lock, but for `meet`.

    `data` knows failCommands, errorCode, errorLabels, closeConnection, blockConnection and blockTimeMS,
    writeConcernError; and of this stand-in alone closeAfter (the command is carried out, its answer lost) and
    writeErrors (they are the answer to a command that is not carried out).
    """

    skip: int = 0
    times: int = 0
    data: Document = field(default_factory=dict[str, Any])

    def configure(self, body: Document) -> None:
        mode: Any = body["mode"]  # alwaysOn, off, or {times, skip}
        named: Document = mode if is_document(mode) else {"times": 0} if mode == "off" else {}
        self.data = body.get("data", {})
        self.skip, self.times = named.get("skip", 0), named.get("times", 1 << 30)

    def due(self, command: str) -> Document | None:
        """What goes wrong with this command; None if nothing does."""
        if self.times <= 0 or command not in self.data.get("failCommands", ()):
            return None
        if self.skip > 0:
            self.skip -= 1
            return None
        self.times -= 1
        return self.data


def meet(wrong: Document, body: Document) -> Act:
    """Let it go wrong, before the command is carried out. Raises Refusal."""
    if wrong.get("blockConnection"):
        allowed = body.get("maxTimeMS", 1 << 30)
        time.sleep(min(wrong["blockTimeMS"], allowed) / 1000)
        if wrong["blockTimeMS"] > allowed:
            raise Refusal(50, "operation exceeded time limit")
    if wrong.get("closeConnection"):
        return "close"
    if "errorCode" in wrong:
        labels = {"errorLabels": wrong["errorLabels"]} if "errorLabels" in wrong else {}
        raise Refusal(
            wrong["errorCode"], f"Failing command via 'failCommand' failpoint: {body!r:.200}", **labels
        )
    return "close after" if wrong.get("closeAfter") else "go on"
