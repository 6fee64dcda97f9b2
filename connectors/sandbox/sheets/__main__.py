"""`python -m connectors.sandbox.sheets --port 0`: run the stand-in.

The first line of output is JSON: a connection's values. It ends when its standard input does.
"""

import argparse
import json
import sys
from pathlib import Path

from connectors.sandbox.sheets.server import SheetsServer


def main() -> None:
    parser = argparse.ArgumentParser(prog="connectors.sandbox.sheets")
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--specs", type=Path, help="a folder with Google's discovery documents")
    parser.add_argument("--quota", type=int, help="reads, and writes, of one minute")
    asked = parser.parse_args()
    with SheetsServer(asked.port, specs=asked.specs) as server:
        server.office.quota = asked.quota
        sys.stdout.write(json.dumps(server.values) + "\n")
        sys.stdout.flush()
        sys.stdin.read()


if __name__ == "__main__":
    main()
