"""A practice whose secrets are in no file and no environment: only sealed, on the Prefect server."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import yaml
from prefect.settings import PREFECT_API_URL, PREFECT_HOME, temporary_settings
from typer.testing import CliRunner

from connectors.sandbox.healthie import StandIn
from flows.boundary import CodedFailure, guarded
from flows.cli import application
from tests.faults.terminal import Said
from tests.faults.world import DEPLOYMENTS, Engine
from tests.flows.test_sync import rename
from tests.prefect_api import ask

PERMISSIONS = (
    "can_see_clients", "sees_all_clients", "can_see_calendar", "can_see_billing", "sees_all_billing",
    "can_view_cms1500s", "can_view_all_org_members_tasks",
)  # fmt: skip


@dataclass
class Office:
    """One machine with tenants of one integration each, a stand-in and a Prefect server."""

    healthie: StandIn
    prefect: Mapping[str, str]
    folder: Path
    extra: dict[str, str] = field(default_factory=dict[str, str])

    @property
    def deployments(self) -> Path:
        return self.folder / "deployments"

    def tenant(
        self,
        name: str,
        healthie: Mapping[str, str],
        warehouse: Mapping[str, str] | None = None,
        system: str = "sql",
    ) -> None:
        """A tenant's files: `simple` of the fault tests, with these settings of its connections."""
        made = self.deployments / name
        (made / "simple").mkdir(parents=True, exist_ok=True)
        for file in (DEPLOYMENTS / "acme" / "simple").iterdir():
            (made / "simple" / file.name).write_text(file.read_text())
        described = yaml.safe_load((DEPLOYMENTS / "acme" / "tenant.yaml").read_text())
        described["connections"] = {
            "healthie": {"connector": "healthie", "settings": dict(healthie)},
            "warehouse": {"connector": system, "settings": dict(warehouse or {})},
        }
        (made / "tenant.yaml").write_text(yaml.safe_dump(described))

    def environment(self) -> dict[str, str]:
        return {
            **self.prefect,
            "FERRY_HOME": str(self.folder / "home"),
            "FERRY_DEPLOYMENTS": str(self.deployments),
            **self.extra,
        }

    def ferry(self, *arguments: str, given: object = None, **environment: str) -> Said:
        """A command in this process, with `given` as JSON on standard input."""
        words: list[str] = []

        def act() -> None:
            done = CliRunner().invoke(
                application(), arguments, input=_text(given), env={**self.environment(), **environment}
            )
            words.append(done.stdout)
            if done.exception is not None and not isinstance(done.exception, SystemExit):
                raise done.exception
            assert done.exit_code == 0, done.output

        with self.here(environment.get("PREFECT_API_URL")):
            try:
                guarded(act)
            except CodedFailure as failure:
                return Said(1, words[0], f"ferry: {str(failure).removeprefix(failure.code + ': ')}\n")
        return Said(0, words[0], "")

    def process(self, *arguments: str, given: object = None, **environment: str) -> Said:
        """The same in a process of its own, as an operator has it."""
        done = subprocess.run(
            [sys.executable, "-m", "flows", *arguments],
            env={**os.environ, **self.environment(), **environment},
            input=_text(given),
            capture_output=True,
            text=True,
            timeout=180,
            check=False,
        )
        return Said(done.returncode, done.stdout, done.stderr)

    def connect(self, tenant: str, key: str | None = None) -> None:
        """Both connections of a tenant, as a person would make them."""
        secrets = {
            "healthie": {"api_key": key or self.healthie.api_key},
            "warehouse": {"url": self.url(tenant)},
        }
        for name, secret in secrets.items():
            done = self.ferry("connect", tenant, name, given=secret)
            assert done.code == 0, done.err

    def url(self, tenant: str) -> str:
        return f"sqlite:///{self.folder / tenant}.db"

    def run(self, tenant: str, **environment: str) -> int:
        """One run in a process of its own; its words are in `said`."""
        self.log.unlink(missing_ok=True)
        return Engine(f"{tenant}/simple", "changes", self.environment() | environment, self.log).wait()

    @property
    def log(self) -> Path:
        return self.folder / "engine.log"

    def said(self) -> str:
        return self.log.read_text()

    @contextmanager
    def here(self, url: str | None = None) -> Iterator[None]:
        """In this process Prefect is this office's server."""
        url = self.prefect["PREFECT_API_URL"] if url is None else url
        named = {PREFECT_API_URL: url or None, PREFECT_HOME: self.prefect["PREFECT_HOME"]}
        with temporary_settings(named):
            yield

    def documents(self) -> dict[str, dict[str, object]]:
        """The stored block documents by name, as Prefect's API gives them."""
        url = f"{self.prefect['PREFECT_API_URL']}/block_documents/filter"
        asked = {
            "block_types": {"slug": {"any_": ["sealed-connection"]}},
            "include_secrets": True,
            "limit": 200,
        }
        return {str(one["name"]): one for one in ask("POST", url, json=asked).json()}

    def edit(self, name: str, **values: object) -> None:
        """Change a block document's data past Ferry, through Prefect's API."""
        document = self.documents()[name]
        url = f"{self.prefect['PREFECT_API_URL']}/block_documents/{document['id']}"
        ask("PATCH", url, json={"data": values, "merge_existing_data": True}).raise_for_status()

    def clear(self) -> None:
        """No connection is stored any more: the server is shared by the tests."""
        for document in self.documents().values():
            url = f"{self.prefect['PREFECT_API_URL']}/block_documents/{document['id']}"
            ask("DELETE", url).raise_for_status()


def _text(given: object) -> str:
    return given if isinstance(given, str) else "" if given is None else json.dumps(given)


def named_patients(healthie: StandIn) -> None:
    """Every patient is active and named, so that a run has nothing to ask a person."""
    for at, one in enumerate(healthie.ids()):
        healthie.restore(one)
        healthie.apply([rename(one, f"Start{at}")])


def grant_all(healthie: StandIn) -> None:
    """The narrow key's account, too, may see everything."""
    for id_ in healthie.ids("OrganizationMembership"):
        healthie.edit("OrganizationMembership", id_, **dict.fromkeys(PERMISSIONS, True))


@contextmanager
def elsewhere(healthie: StandIn, me: str = "1000001") -> Iterator[None]:
    """Meanwhile the key's account belongs to another organization."""
    home = str(healthie.row("User", me)["organization_id"])
    other = next(one for one in healthie.ids("Organization") if one != home)
    healthie.edit("User", me, organization_id=other)
    try:
        yield
    finally:
        healthie.edit("User", me, organization_id=home)
