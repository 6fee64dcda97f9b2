"""What failed beside all the others is run once more, alone: `make again`.

Some thousand tests start servers and processes on two busy cores. One that fails there and passes alone is
named, so that its cause is found. More than a few that failed are no chance, and tests that broke off say
nothing of those that never ran: then nothing is run again.
"""

import json
import subprocess
import sys
from pathlib import Path

CACHE = Path(".pytest_cache/v")
FAILED, ENDED = CACHE / "cache" / "lastfailed", CACHE / "ferry" / "ended"
TO_THE_END = 1  # pytest's exit code where every test ran and some failed
MOST = 4


def main() -> int:
    failed: list[str] = sorted(json.loads(FAILED.read_text())) if FAILED.exists() else []
    ended: int | None = json.loads(ENDED.read_text()) if ENDED.exists() else None
    if ended != TO_THE_END or not 0 < len(failed) <= MOST:
        print(f"again: {len(failed)} tests failed, pytest ended with {ended}; nothing is run again")
        return 1
    code = subprocess.run([sys.executable, "-m", "pytest", "-q", "-n", "0", *failed], check=False).returncode
    alone = "all pass alone" if code == 0 else "not all pass alone"
    for name in failed:
        print(f"again: FAILED BESIDE OTHERS ({alone}): {name}")
    return code


if __name__ == "__main__":
    sys.exit(main())
