"""`python -m connectors.sandbox.mongodb --port 0`: run the server; the first line of output is its address.

It ends when its standard input does, so that it never outlives the process that started it.
"""

import argparse
import sys
import threading

from connectors.sandbox.mongodb.server import Server


def main() -> None:
    parser = argparse.ArgumentParser(prog="connectors.sandbox.mongodb")
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--stay", action="store_true", help="run on when the standard input ends")
    arguments = parser.parse_args()
    server = Server(arguments.port)
    sys.stdout.write(f"{server.state.address}\n")
    sys.stdout.flush()
    if not arguments.stay:
        threading.Thread(target=_end_with_input, args=(server,), daemon=True).start()
    try:
        server.serve_forever()
    except KeyboardInterrupt:
        pass
    finally:
        server.server_close()


def _end_with_input(server: Server) -> None:
    sys.stdin.read()
    server.shutdown()


if __name__ == "__main__":
    main()
