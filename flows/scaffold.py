"""New files: an integration's, and a tenant's where it is new. What is there is never overwritten."""

import re
from collections.abc import Iterator
from pathlib import Path

import yaml
from pydantic import TypeAdapter

from agent import manifest
from flows.check import check
from flows.errors import Spoken
from flows.parameters import NAME, NAME_AT_MOST
from flows.schema import FOLDER as SCHEMAS

TENANT = """\
# yaml-language-server: $schema=../schema/tenant.json
# One practice. ferry check {tenant} looks at everything in this folder.

# The practice's time zone. Every schedule is in it.
timezone:  # write it, such as America/New_York

# How each system is reached, by a name that the integrations use. No secret stands here: it is asked for,
# checked and sealed by: ferry connect {tenant} CONNECTION
connections:
  healthie:
    connector: healthie
    settings: {{url: "https://api.gethealthie.com/graphql"}}
  warehouse:
    connector: sql  # its url holds a password, so it is sealed as a whole
"""

PREFECT = """\
# yaml-language-server: $schema=../schema/prefect.json
# Prefect's own file: a deployment for each integration. ferry deploy {tenant} brings it to the server.
deployments:
"""

DEPLOYMENT = """\
- name: {tenant}-{integration}  # always the tenant, -, the integration
  entrypoint: flows/sync.py:sync
  parameters:
    # kind: changes or sweep; emit: always, first-week-of-month or last-week-of-month (weekly schedules)
    # mode: live or staging. For both give it a second deployment, with -staging behind its name.
    integration: {{tenant: {tenant}, integration: {integration}}}
  # When it runs: hourly "0 * * * *", every six hours "0 */6 * * *", daily "0 6 * * *" or weekly "0 6 * * 5".
  # schedules: [{{cron: "0 6 * * *", timezone: the one of tenant.yaml}}]
  tags: [ferry, "tenant:{tenant}"]  # these two, and others as you like
  work_pool: {{name: local}}  # where its runs are started: prefect work-pool create local --type process
  concurrency_limit: {{limit: 1, collision_strategy: CANCEL_NEW}}  # runs of it never overlap
"""

INTEGRATION = """\
# yaml-language-server: $schema=../../schema/integration.json
# What may be written, and where each written value may come from. Nothing else is possible. What is read:
# fields.yaml.

source: healthie  # the connection that entries are read through

decide:
  by: program  # program.py decides; or a model: google-cloud:…, openai-compatible:…

targets:
  warehouse:  # the program's operations begin with this name: warehouse_upsert_patients
    connection: warehouse  # of tenant.yaml
    categories: [status, identity, contact]  # the kinds of patient data that it may be given
    tables:
      - name: patients
        patient: patient_id  # the key column; Ferry writes the patient's id there
        columns:
          # because: the sentences that speak of it; a call that sets it cites one of them.
          full_name: {type: str, because: [S1], from: [first_name, last_name], computed: true}
          email: {type: str, because: [S1], from: [email]}

limits:  # what is more than this in one run waits for a person
  share: 0.5  # of the known patients
  at_least: 200  # writes that are always allowed
  blanked: 0.2  # of a batch's rows in which a value would become empty

sweep_every: P7D  # how often everyone is read, whatever the source shows as changed
"""

FIELDS = """\
# yaml-language-server: $schema=../../schema/fields.json
# What is read of a patient, by the sentence that needs it, and nothing more. deployments/example/ shows more.
S1: [first_name, last_name, email]
"""

LOGIC = """\
# What the practice told us

Write here, in the practice's own words, what is to be carried, for whom, and what never is.
"""

INSTRUCTIONS = """\
# {tenant}: {integration}

Write each rule as a sentence of its own, numbered from one: S, the number, a full stop, the rule.
"""

PROGRAM = '''\
"""The instructions as a program. It runs in a sandbox; the functions it calls are the granted ones."""


def decide(entry, today):
    """Until it is written, every patient is for a person to review."""
    return review("S1", "not_written")
'''


class NotMade(Spoken):
    """Files cannot be made there. One line."""


def new(root: Path, tenant: str, integration: str) -> Iterator[str]:
    """Make what is not there yet. Gives a line for each file, and for each thing that is still to be written.

    Raises:
        NotMade: a name cannot be one.
    """
    for name in (tenant, integration):
        if not re.fullmatch(NAME, name) or len(name) > NAME_AT_MOST or name == SCHEMAS:
            raise NotMade(
                f"{name}: cannot be a name; use small letters, digits, - and _, a letter first "
                f"(and not {SCHEMAS}, where the schemas are)"
            )
    folder = root / tenant
    names = {"tenant": tenant, "integration": integration}
    yield _make(folder / "tenant.yaml", TENANT.format(**names))
    yield _add_deployment(folder / "prefect.yaml", names)
    for name, text in (
        ("business-logic.md", LOGIC),
        ("instructions.md", INSTRUCTIONS.format(**names)),
        ("integration.yaml", INTEGRATION),
        (manifest.FILE, FIELDS),
        ("program.py", PROGRAM),
    ):
        yield _make(folder / integration / name, text)
    for finding in check(root, [tenant], production=False):
        yield f"to do: {finding}"
    yield (
        f"then: ferry connect {tenant} CONNECTION for each connection, golden examples, "
        f"ferry compile {tenant}/{integration}, ferry test {tenant}/{integration}, "
        f"ferry approve {tenant}/{integration} --author NAME --approver NAME, ferry deploy {tenant}"
    )


def _make(path: Path, text: str) -> str:
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        with path.open("x", encoding="utf-8") as file:
            file.write(text)
    except FileExistsError:
        return f"{path}: was there, left as it is"
    return f"{path}: made"


def _add_deployment(path: Path, names: dict[str, str]) -> str:
    """The deployment at the end of the tenant's file, which is otherwise left as it is."""
    block = DEPLOYMENT.format(**names)
    if not path.exists():
        return _make(path, PREFECT.format(**names) + _indented(block, 2))
    text = path.read_text(encoding="utf-8")
    name = f"{names['tenant']}-{names['integration']}"
    try:
        before = _deployments(text)
        if any(name == one.get("name") for one in before):
            return f"{path}: has {name}, left as it is"
        longer = text.rstrip("\n") + "\n" + _indented(block, _indentation(text))
        if _deployments(longer)[:-1] == before:
            path.write_text(longer, encoding="utf-8")
            return f"{path}: {name} added at its end"
    except (yaml.YAMLError, ValueError):
        pass
    return f"{path}: could not be added to; add there, below deployments:\n{_indented(block, 2)}".rstrip()


def _deployments(text: str) -> list[dict[str, object]]:
    """Raises ValueError if the file is not one of deployments."""
    described = yaml.safe_load(text)
    try:
        return TypeAdapter(list[dict[str, object]]).validate_python(described["deployments"])
    except (TypeError, KeyError):
        raise ValueError("no deployments") from None


def _indentation(text: str) -> int:
    """How far the file's own deployments are indented."""
    root = yaml.compose(text, yaml.SafeLoader)
    for key, value in root.value if isinstance(root, yaml.MappingNode) else ():
        if key.value == "deployments" and value.value:
            return int(value.value[0].start_mark.column) - 2
    return 2


def _indented(block: str, by: int) -> str:
    return "".join(f"{' ' * by}{line}\n" for line in block.splitlines())
