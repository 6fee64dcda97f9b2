"""Run the stand-in: python -m connectors.sandbox.hubspot --port 0 --contacts 200

The first line of output names its address and its token, as JSON. It ends when its standard input does.
"""

import argparse
import json
import sys
import threading

from connectors.sandbox.hubspot.portal import TOKEN, Portal
from connectors.sandbox.hubspot.seed import seed
from connectors.sandbox.hubspot.server import Server


def main() -> None:
    parser = argparse.ArgumentParser(prog="connectors.sandbox.hubspot", description=__doc__)
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--contacts", type=int, default=0)
    parser.add_argument(
        "--one-stamp", type=int, default=0, help="so many of them have one and the same stamp"
    )
    parser.add_argument("--stay", action="store_true", help="run on when the standard input ends")
    asked = parser.parse_args()
    portal = Portal()
    seed(portal, asked.contacts, asked.one_stamp)
    server = Server(portal, asked.port)
    sys.stdout.write(json.dumps({"url": server.url, "token": TOKEN}) + "\n")
    sys.stdout.flush()
    if not asked.stay:
        threading.Thread(target=_end_with_input, args=(server,), daemon=True).start()
    try:
        server.serve_forever(poll_interval=0.05)
    except KeyboardInterrupt:
        pass
    finally:
        server.server_close()


def _end_with_input(server: Server) -> None:
    sys.stdin.read()
    server.shutdown()


if __name__ == "__main__":
    main()
