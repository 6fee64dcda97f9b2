"""Run the stand-in: python -m connectors.sandbox.healthie --patients 200 --seed 7 --port 0"""

import argparse
import json
import sys
from datetime import datetime
from pathlib import Path
from threading import Thread

from connectors.sandbox.healthie.load import new_practice
from connectors.sandbox.healthie.server import Server


def main() -> None:
    """Serve until interrupted. The first line on stdout names the address and the keys, as JSON."""
    asked = _arguments()
    now = datetime.fromisoformat(asked.now) if asked.now else None
    practice = new_practice(
        patients=asked.patients, seed=asked.seed, synthea=asked.synthea, now=now, one_stamp=asked.one_stamp
    )
    server = Server(practice, asked.port)
    ready = {"url": server.url, "keys": list(practice.state.viewers)}
    sys.stdout.write(json.dumps(ready) + "\n")
    sys.stdout.flush()
    if asked.with_parent:
        Thread(target=_stop_with_parent, args=(server,), daemon=True).start()
    try:
        server.serve_forever(poll_interval=0.05)
    except KeyboardInterrupt:
        sys.stderr.write("stopped\n")
    finally:
        server.stopping.set()
        server.server_close()


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="connectors.sandbox.healthie", description=__doc__)
    parser.add_argument("--patients", type=int, default=100)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--synthea", type=Path, help="folder with Synthea's CSV files")
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--now", help="freeze the clock at this ISO instant")
    parser.add_argument("--one-stamp", action="store_true", help="stamp every row with one updated_at")
    parser.add_argument("--with-parent", action="store_true", help="stop when stdin closes")
    return parser.parse_args()


def _stop_with_parent(server: Server) -> None:
    sys.stdin.read()
    server.shutdown()


if __name__ == "__main__":
    main()
