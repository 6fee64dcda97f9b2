"""`python -m connectors.sandbox.airtable --port 0`: run the stand-in; the first line of output is its port.

It ends when its standard input does, so that it never outlives the process that started it.
"""

import argparse
import sys
import threading
from contextlib import suppress

from connectors.sandbox.airtable.server import AirtableStandIn


def main() -> None:
    parser = argparse.ArgumentParser(prog="connectors.sandbox.airtable")
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--stay", action="store_true", help="run on when the standard input ends")
    arguments = parser.parse_args()
    stand_in = AirtableStandIn(port=arguments.port)
    sys.stdout.write(f"{stand_in.url.rpartition(':')[2]}\n")
    sys.stdout.flush()
    if not arguments.stay:
        threading.Thread(target=_end_with_input, args=(stand_in,), daemon=True).start()
    with suppress(KeyboardInterrupt):
        stand_in.serve()


def _end_with_input(stand_in: AirtableStandIn) -> None:
    sys.stdin.read()
    stand_in.close()


if __name__ == "__main__":
    main()
