"""The demonstration: the main job on a local stand-in for Healthie, in four situations.

Each run is the command an operator would type, in a process of its own; the third situation edits
Healthie first, the fourth kills a run with SIGKILL and starts it again.
"""

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

import sqlalchemy as sa
from pydantic import JsonValue
from rich.console import Console

from connectors.sandbox.healthie import StandIn
from connectors.sandbox.healthie.edits import Edit
from flows.errors import Spoken
from flows.server import LocalServer

LABEL = "demo/warehouse"
KILLED_SHARE = 0.7  # of the patients are edited before the run that is killed
PLANS_BEFORE_KILL = 25
WAIT = 120.0  # seconds for the run that is to be killed


class DemoFailed(Spoken):
    """The demonstration did not show what it promises. One line."""


def demo(out: Console, *, patients: int, synthea: Path | None, folder: Path) -> None:
    """Show the four situations and end. What was made stays in `folder` to be looked at."""
    folder = folder.resolve()
    if folder.exists():
        shutil.rmtree(folder)
    folder.mkdir(parents=True)
    _say(out, "Starting a stand-in for Healthie and a Prefect server on this machine (about 20 s) …")
    server = LocalServer(folder / "prefect")
    try:
        with StandIn(patients, seed=7, synthea=synthea) as healthie:
            stage = Stage(out, healthie, folder, server)
            server.ready()
            stage.play()
    finally:
        server.stop()


class Stage:
    """The stand-in, the target's database, and the commands that run between them."""

    def __init__(self, out: Console, healthie: StandIn, folder: Path, server: LocalServer) -> None:
        self.out, self.healthie, self.folder = out, healthie, folder
        self.database = folder / "warehouse.db"
        self.environment = os.environ | {
            "FERRY_HOME": str(folder),
            "DEMO_HEALTHIE_URL": healthie.endpoint,
            "DEMO_HEALTHIE_KEY": healthie.api_key,
            "DEMO_WAREHOUSE_URL": f"sqlite:///{self.database}",
            "PREFECT_API_URL": server.url,
            "PREFECT_HOME": str(server.home),
            "PREFECT_LOGGING_LEVEL": "WARNING",
            "DO_NOT_TRACK": "1",
        }

    def play(self) -> None:
        everyone = self.healthie.ids()
        _say(
            self.out,
            f"\n1. The first run: {len(everyone)} patients, twelve rules, into {self.database.name}.",
        )
        self.ferry("run", LABEL)
        _say(self.out, "\n2. Nothing changed since: nothing is planned, no model is asked.")
        self.ferry("run", LABEL)
        _say(
            self.out,
            "\n3. Seven edits in Healthie: a name, an address, a policy, a tag, an appointment, a custom",
        )
        _say(
            self.out,
            "   field, an archived patient. Healthie shows no time for addresses and policies, so this",
        )
        _say(self.out, "   run is a sweep: everyone is read, and exactly the changed ones are planned.")
        before = self.rows()
        edits = _seven_edits(self.healthie, before)
        self.ferry("run", LABEL, "--sweep")
        self.check_exactly(before, set(edits))
        self.killed_and_resumed([one for one in everyone if one not in edits])
        self.explain(edits[0])
        self.look_here()

    def ferry(self, *arguments: str) -> None:
        _say(self.out, f"$ ferry {' '.join(arguments)}")
        done = subprocess.run(self.command(*arguments), env=self.environment, check=False)  # noqa: S603
        if done.returncode not in (0, 3):
            raise DemoFailed(
                f"demo: ferry {' '.join(arguments)} ended with {done.returncode}; its line is above"
            )

    def command(self, *arguments: str) -> Sequence[str]:
        return [sys.executable, "-m", "flows", *arguments]

    def killed_and_resumed(self, everyone: Sequence[str]) -> None:
        present = self.rows()
        edited = [one for one in everyone if present.get(one, {}).get("status") not in (None, "archived")]
        edited = edited[: int(len(everyone) * KILLED_SHARE)]
        self.healthie.apply(
            [Edit(id=one, values={"last_name": f"Moved{at}"}) for at, one in enumerate(edited)]
        )
        _say(
            self.out,
            f"\n4. {len(edited)} patients get another name; the run is killed with SIGKILL midway.",
        )
        decided, arrived = self.kill_midway()
        _say(
            self.out,
            f"   Killed: {decided} of {len(edited)} were decided, {arrived} had arrived. "
            "The next run finishes it:",
        )
        self.ferry("run", LABEL)
        rows = self.rows()
        right = sum(str(rows[one]["full_name"]).endswith(f"Moved{at}") for at, one in enumerate(edited))
        doubled = self.count(self.database, "SELECT count(*) - count(DISTINCT patient_id) FROM patients")
        _say(self.out, f"   Lost: {len(edited) - right}. Doubled: {doubled}.")
        if right != len(edited) or doubled:
            raise DemoFailed("demo: entries were lost or doubled; this is a defect, please report it")

    def kill_midway(self) -> tuple[int, int]:
        """Start a run, kill it once some plans wait in the ledger, and say how many did and had arrived."""
        _say(self.out, f"$ ferry run {LABEL}")
        quiet = self.environment | {"FERRY_QUIET": "1"}
        child = subprocess.Popen(self.command("run", LABEL), env=quiet)  # noqa: S603
        deadline = time.monotonic() + WAIT
        while child.poll() is None and time.monotonic() < deadline:
            if self.planned() >= PLANS_BEFORE_KILL:
                os.kill(child.pid, signal.SIGKILL)
                break
            time.sleep(0.005)
        if child.wait(timeout=WAIT) != -signal.SIGKILL or not self.planned():
            raise DemoFailed("demo: the run was over before it was killed; say it once more: ferry demo")
        arrived = self.count(self.database, "SELECT count(*) FROM patients WHERE full_name LIKE '%Moved%'")
        return self.planned() + arrived, arrived

    def planned(self) -> int:
        """How many deliveries the ledger has that did not leave yet."""
        return self.count(self.folder / "ledger.db", "SELECT count(*) FROM delivery WHERE state = 'planned'")

    def count(self, database: Path, query: str) -> int:
        engine = sa.create_engine(f"sqlite:///{database}")
        with engine.connect() as connection:
            number = int(connection.execute(sa.text(query)).scalar_one())
        engine.dispose()
        return number

    def rows(self) -> dict[str, Mapping[str, object]]:
        """The target's rows by patient id."""
        engine = sa.create_engine(f"sqlite:///{self.database}")
        with engine.connect() as connection:
            found: dict[str, Mapping[str, object]] = {
                str(row["patient_id"]): {str(name): value for name, value in row.items()}
                for row in connection.execute(sa.text("SELECT * FROM patients")).mappings()
            }
        engine.dispose()
        return found

    def check_exactly(self, before: Mapping[str, Mapping[str, object]], edited: set[str]) -> None:
        """The tagged patient's row stays as it was (S3); the six others' rows differ, and no other row."""
        after = self.rows()
        differ = {one for one in after if after[one] != before.get(one)}
        _say(
            self.out,
            f"   Rows that differ now: {len(differ)}; the one tagged is left alone (S3).",
        )
        if not differ <= edited or len(edited - differ) != 1:
            raise DemoFailed("demo: other rows changed than were edited; this is a defect, please report it")

    def explain(self, patient: str) -> None:
        _say(self.out, "\nWhy did, or didn't, a patient arrive?")
        self.ferry("explain", LABEL, patient)

    def look_here(self) -> None:
        notes = self.healthie.notes()
        _say(self.out, f"\nSession notes that anyone asked Healthie for: {sum(notes.values())}.")
        if notes:
            raise DemoFailed("demo: a note-bearing field was asked for; this is a defect, please report it")
        _say(self.out, "Where to look:")
        _say(self.out, f"  the rows          {self.database}, table patients")
        _say(
            self.out, f"  the ledger        {self.folder / 'ledger.db'} (sealed; read it with ferry explain)"
        )
        _say(
            self.out,
            "  the instructions  deployments/demo/warehouse/instructions.md, program.py, integration.yaml",
        )
        _say(
            self.out,
            f"  the dashboard     PREFECT_HOME={self.folder / 'prefect'} .venv/bin/prefect server start",
        )


def _seven_edits(healthie: StandIn, rows: Mapping[str, Mapping[str, object]]) -> list[str]:
    """One edit of each kind, each of another patient whose row it changes. Gives the patients."""
    known = [one for one, row in rows.items() if row["status"] not in (None, "archived")]
    insured = next(one for one in known if rows[one]["payer"] is not None)
    located = next(one for one in known if rows[one]["city"] and one != insured)
    quiet = [one for one in known if rows[one]["status"] != "active" and one not in (insured, located)]
    seen, appointment = _visited(healthie, quiet)
    renamed, tagged, asked, leaving = [one for one in known if one not in (insured, located, seen)][:4]
    location = healthie.rows_of("Location", located)[0]
    policy = next(one for one in healthie.rows_of("Policy", insured) if one["priority_type"] == "primary")
    visit: dict[str, JsonValue] = {"date": healthie.now().isoformat(), "pm_status": "Occurred"}
    healthie.apply(
        [
            Edit(id=renamed, values={"first_name": "Renamed"}),
            Edit(type="Location", id=str(location["id"]), values={"city": "Elsewhere"}),
            Edit(type="Policy", id=str(policy["id"]), values={"num": "NEW-0001"}),
            Edit(act="tag", id=tagged, values={"tag_id": _tag(healthie, "No data sharing")}),
            Edit(type="Appointment", id=appointment, values=visit),
            Edit(id=asked, values={"metadata": '{"referral_channel": "a friend"}'}),
            Edit(act="archive", id=leaving),
        ]
    )
    return [renamed, located, insured, tagged, seen, asked, leaving]


def _visited(healthie: StandIn, candidates: Sequence[str]) -> tuple[str, str]:
    """A patient with an appointment of his own, and that appointment."""
    for one in candidates:
        for row in healthie.rows_of("Appointment", one, column="attendee_ids"):
            if row.get("deleted_at") is None and row.get("user_id") == one:
                return one, str(row["id"])
    raise DemoFailed("demo: no patient has an appointment; ask for more patients")


def _tag(healthie: StandIn, name: str) -> str:
    for tag in healthie.ids("Tag"):
        if healthie.row("Tag", tag)["name"] == name:
            return tag
    return healthie.create("Tag", name=name)


def _say(out: Console, line: str) -> None:
    out.print(line, markup=False)
