"""Mistakes that people make in a tenant's files: what is changed, and what must be said at which line."""

# ruff: noqa: E501  # a table reads better in long lines

from dataclasses import dataclass
from pathlib import Path

TENANT, PREFECT = "tenant.yaml", "prefect.yaml"
WAREHOUSE, PROGRAM, FIELDS = "warehouse/integration.yaml", "warehouse/program.py", "warehouse/fields.yaml"
INSTRUCTIONS = "warehouse/instructions.md"


@dataclass(frozen=True)
class Mistake:
    """One change of a file of the example tenant. `told` is said at the line that holds `at`."""

    name: str
    file: str
    old: str
    new: str
    at: str
    told: str

    def make(self, folder: Path) -> str:
        """Make it; gives the place at which it must be told."""
        path = folder / self.file
        text = path.read_text()
        assert text.count(self.old) >= 1, f"{self.name}: {self.old!r} is not in {self.file}"
        path.write_text(text.replace(self.old, self.new, 1))
        return self.at_line(folder)

    def at_line(self, folder: Path) -> str:
        path = folder / self.file
        lines = path.read_text().splitlines()
        return f"{path}:{next(at for at, line in enumerate(lines, 1) if self.at in line)}: "


MISTAKES = [
    # tenant.yaml
    Mistake(
        "unknown key", TENANT, "\nconnections:\n", "\ncolour: red\nconnections:\n",
        "colour: red", "colour is not a key that Ferry knows; remove it",
    ),
    Mistake(
        "no such time zone", TENANT, "timezone: America/Chicago\n\n", "timezone: Mars/Phobos\n\n",
        "Mars/Phobos", "timezone: 'Mars/Phobos' is no IANA time zone",
    ),
    Mistake(
        "no time zone", TENANT, "timezone: America/Chicago\n\n", "timezone:\n\n",
        "timezone:\n".strip(), "timezone is missing; write the practice's",
    ),
    Mistake(
        "unknown connector", TENANT, "connector: csv", "connector: cvs",
        "connector: cvs", "connections.desk.connector: input should be 'healthie'",
    ),
    Mistake(
        "unknown setting", TENANT, "      timezone: America/Chicago", "      time_zone: America/Chicago",
        "      time_zone:", "connections.healthie.settings.time_zone is no setting of healthie; remove it; there are",
    ),
    Mistake(
        "setting that is not valid", TENANT, "request_timeout: \"60\"", "request_timeout: \"soon\"",
        "request_timeout: \"soon\"", "connections.model.settings.request_timeout: Input should be a valid number",
    ),
    Mistake(
        "setting that does not go with the others", TENANT, "https://api.gethealthie", "http://api.gethealthie",
        "    settings:", "connections.healthie.settings: the url must be https",
    ),
    Mistake(
        "setting is missing", TENANT, "settings: {folder: /srv/ferry/example/desk}", "settings: {}",
        "settings: {}", "connections.desk.settings.folder is missing",
    ),
    Mistake(
        "secret in clear", TENANT, "url: \"secret-manager:example-warehouse\"", "url: \"postgresql://a:b@h/d\"",
        "postgresql://a:b", "connections.warehouse.settings.url is a secret written in clear; remove it",
    ),
    Mistake(
        "key twice", TENANT, "  desk:\n", "  desk: {connector: csv, settings: {folder: /tmp}}\n  desk:  # again\n",
        "  desk:  # again", "connections.desk is already at line",  # the second of them
    ),
    Mistake(
        "not YAML", TENANT, "    connector: healthie", "    connector: [healthie",
        "    settings:", "is not YAML; look at the indentation and quotes there",
    ),
    # prefect.yaml
    Mistake(
        "misspelled key", PREFECT, "    work_pool: *pool", "    workpool: *pool",
        "    workpool:", "deployments[0].workpool is not a key that Ferry knows; write work_pool",
    ),
    Mistake(
        "missing key", PREFECT, "    work_pool: *pool", "    # none",
        "- name: example-warehouse", "deployments[0].work_pool is missing",
    ),
    Mistake(
        "another flow", PREFECT, "entrypoint: flows/sync.py:sync  #", "entrypoint: flows/sync.py:snyc  #",
        "flows/sync.py:snyc", "deployments[0].entrypoint: input should be 'flows/sync.py:sync'",
    ),
    Mistake(
        "another name", PREFECT, "name: example-channel", "name: example_channel",
        "name: example_channel", "deployments[2].name is example_channel; write example-channel",
    ),
    Mistake(
        "another tenant", PREFECT, "tenant: example  #", "tenant: acme  #",
        "tenant: acme", "deployments[0].parameters.integration.tenant is acme, in example's file; write example",
    ),
    Mistake(
        "unknown mode", PREFECT, "mode: changes  #", "mode: everything  #",
        "mode: everything", "deployments[0].parameters.integration.mode: input should be 'changes'",
    ),
    Mistake(
        "unknown parameter", PREFECT, "        dry_run: false", "        dryrun: false",
        "dryrun: false", "integration.dryrun is not a key that Ferry knows; write dry_run",
    ),
    Mistake(
        "tag of another tenant", PREFECT, '"tenant:example", model]', '"tenant:example", "tenant:acme"]',
        '"tenant:acme"', "deployments[3].tags[2] is tenant:acme, another tenant's",
    ),
    Mistake(
        "tag is missing", PREFECT, '[ferry, "tenant:example", database]', "[ferry, database]",
        "[ferry, database]", "deployments[0].tags lack tenant:example; add it there",
    ),
    Mistake(
        "runs overlap", PREFECT, "limit: 1  #", "limit: 2  #",
        "limit: 2", "deployments[0].concurrency_limit.limit: input should be 1",
    ),
    Mistake(
        "runs wait for each other", PREFECT, "collision_strategy: CANCEL_NEW", "collision_strategy: ENQUEUE",
        "collision_strategy: ENQUEUE", "concurrency_limit.collision_strategy: input should be 'CANCEL_NEW'",
    ),
    Mistake(
        "every minute", PREFECT, 'cron: "15 5 * * *"', 'cron: "* * * * *"',
        'cron: "* * * * *"', "deployments[0].schedules[0].cron",
    ),
    Mistake(
        "monthly", PREFECT, 'cron: "15 5 * * *"', 'cron: "15 5 1 * *"',
        'cron: "15 5 1 * *"', "monthly is not supported",
    ),
    Mistake(
        "another time zone", PREFECT, "        timezone: America/Chicago", "        timezone: America/New_York",
        "timezone: America/New_York", "schedules[0].timezone is America/New_York, not tenant.yaml's",
    ),
    Mistake(
        "two schedules", PREFECT, '    schedules: [{cron: "30 */6 * * *", timezone: America/Chicago}]',
        "    schedules:\n      - {cron: \"30 */6 * * *\", timezone: America/Chicago}\n"
        '      - {cron: "0 6 * * 1", timezone: America/Chicago}',
        '"0 6 * * 1"', "deployments[3].schedules[1] is a second schedule of one integration",
    ),
    Mistake(
        "last week of a daily schedule", PREFECT, 'cron: "0 6 * * 5", timezone', 'cron: "0 6 * * *", timezone',
        "emit: last-week-of-month}", "emit is last-week-of-month, which needs a weekly schedule",
    ),
    Mistake(
        "deployment without a folder", PREFECT,
        "integration: {tenant: example, integration: channel}", "integration: {tenant: example, integration: chanel}",
        "- name: example-channel", "example/chanel has no folder with an integration.yaml",
    ),
    Mistake(
        "integration twice", PREFECT,
        "name: example-channel", "name: example-triage",
        "- name: example-triage", "deployments[2].name is example-triage; write example-channel",
    ),
    Mistake(
        "template", PREFECT, "    name: local", "    name: \"{{ pool }}\"",
        '"{{ pool }}"', "work_pool.name is a template",
    ),
    Mistake(
        "parameters of a schedule", PREFECT, 'cron: "0 6 * * 5", timezone',
        'parameters: {integration: {tenant: acme, integration: warehouse}}, cron: "0 6 * * 5", timezone',
        "tenant: acme, integration", "(schedule: 'parameters' is not understood); take it out",
    ),
    Mistake(
        "secrets in a job's environment", PREFECT, "    name: local", "    job_variables: {env: {KEY: sk-1}}\n    name: local",
        "sk-1", "deployments[0].work_pool.job_variables.env does not belong here, where Prefect keeps all in clear; remove it",
    ),
    Mistake(
        "a secret block in a job's variables", PREFECT, "    name: local",
        '    job_variables: {labels: {a: [b, "{{ prefect.blocks.secret.key }}"]}}\n    name: local',
        "blocks.secret.key", "deployments[0].work_pool.job_variables.labels.a[1] is a template; write the value itself",
    ),
    # integration.yaml
    Mistake(
        "misspelled grant", WAREHOUSE, "transforms: [lower]", "transform: [lower]",
        "transform: [lower]", "columns.email.transform is not a key that Ferry knows; write transforms",
    ),
    Mistake(
        "connection that is absent", WAREHOUSE, "connection: warehouse", "connection: warehose",
        "connection: warehose", "targets.warehouse.connection names warehose, which is not in tenant.yaml",
    ),
    Mistake(
        "source of another kind", WAREHOUSE, "source: healthie", "source: desk",
        "source: desk", "source names desk, which is csv; name one that is healthie",
    ),
    Mistake(
        "no such field", FIELDS, "last_name, email, phone_number", "last_name, e_mail, email, phone_number",
        "e_mail, email", "S4[2] is e_mail, which the source does not have; write email",
    ),
    Mistake(
        "field of no sentence", FIELDS, "S5: [", "S6: [",
        "S6: [", "S6 is no sentence of the instructions; there are: S1",
    ),
    Mistake(
        "field that is not read", WAREHOUSE, "from: [phone_number]", "from: [dob]",
        "phone: {", "columns.phone.from names dob, which is not read; add it to fields.yaml",
    ),
    Mistake(
        "category not approved", WAREHOUSE, "[status, identity, contact, schedule]", "[status, identity, schedule]",
        "email: {", "warehouse_upsert_patients.email: email is contact, not approved for warehouse",
    ),
    Mistake(
        "no such category", WAREHOUSE, "[status, identity, contact, schedule]", "[status, identity, contact, shedule]",
        "shedule", "targets.warehouse.categories[3]: input should be",
    ),
    Mistake(
        "no such transform", WAREHOUSE, "transforms: [e164]", "transforms: [e162]",
        "phone: {", "warehouse_upsert_patients.phone: no transform e162",
    ),
    Mistake(
        "no such column type", WAREHOUSE, "next_visit: {type: date", "next_visit: {type: day",
        "next_visit: {type: day", "columns.next_visit.type: input should be 'str'",
    ),
    Mistake(
        "bad table name", WAREHOUSE, "- name: patients", "- name: my-patients",
        "- name: my-patients", "(a table's or column's name must be letters, digits and _",
    ),
    Mistake(
        "no such write", "channel/integration.yaml", "      set_metadata:", "      set_metdata:",
        "set_metdata:", "targets.healthie.writes.set_metdata is no write of its target; write set_metadata",
    ),
    Mistake(
        "no such option", "front-desk/integration.yaml", "bom: true", "bomb: true",
        "bomb: true", "targets.desk.options.bomb is not a key that Ferry knows; write bom",
    ),
    Mistake(
        "no such model", "triage/integration.yaml", "by: openai-compatible:clinic-small", "by: clinic-small",
        "by: clinic-small", "models.yaml does not allow; write program, or one of: openai-compatible:clinic-small",
    ),
    Mistake(
        "a model nobody allowed", "triage/integration.yaml", "clinic-small", "clinic-large", "by: openai",
        "decide.by is openai-compatible:clinic-large, which",
    ),
    Mistake(
        "identifiers revealed", "triage/integration.yaml", "reveal: [status, schedule]",
        "reveal: [status, identity]", "decide:",
        "decide: reveal names identity, which holds identifiers; remove it, or write privacy: shown",
    ),
    Mistake(
        "no such batches", "triage/integration.yaml", "  # batch: {}", "  batch: {}  #", "batch: {}",
        "decide.batch is set, and the model has no price for batches",
    ),
    Mistake(
        "not a duration", WAREHOUSE, "sweep_every: P7D", "sweep_every: weekly",
        "sweep_every: weekly", "sweep_every: input should be a valid timedelta",
    ),
    # instructions.md and program.py
    Mistake(
        "gap in the sentences", INSTRUCTIONS, "S4. The name", "S5. The name",
        "S5. The name", "S5 where S4 was expected; number from S1 without gaps",
    ),
    Mistake(
        "a judge that is no model", WAREHOUSE, "  by: program", "  by: program\n  judge: ana",
        "judge: ana", "decide.judge is ana, which ",
    ),
    Mistake(
        "a judge that is reached by nothing", WAREHOUSE, "  by: program", "  by: program\n  judge: openai-compatible:x",
        "decide:", "decide has no connection; name the one that the model is reached by",
    ),
    Mistake(
        "batches of a program", WAREHOUSE, "  by: program", "  by: program\n  batch: {}",
        "batch: {}", "decide.batch has nothing to do: a program decides; remove it",
    ),
    Mistake(
        "a judge beside a model", WAREHOUSE, "  by: program", "  by: google-cloud:x\n  judge: google-cloud:x",
        "judge: google", "decide.judge has nothing to do: a model decides; remove it",
    ),
    Mistake(
        "judging what a sentence settles", PROGRAM, 'status="active"', 'status=judge("S2", "Is it?", ["yes", "no"], {})',
        "judge(", "judge: the sentence is none that asks for judgement; write its number, and there `S5. Judgement: …`",
    ),
    Mistake(
        "type error", PROGRAM, 'status="active"', 'status=1.5',
        "status=1.5", "Expected `str | None`, found `float",
    ),
    Mistake(
        "not Python", PROGRAM, "def phone(text):", "def phone(text:",
        "def phone(text:", "is not Python; correct it there",
    ),
    Mistake(
        "cites no sentence", PROGRAM, 'because=["S1", "S2"]', 'because=["S1", "S9"]',
        '"S9"', "cites S9, which instructions.md does not have",
    ),
    Mistake(
        "field that the program may not read", PROGRAM, 'entry["last_name"]:', 'entry["dob"]:',
        'entry["dob"]', "dob",
    ),
    Mistake(
        "what is known beforehand", PROGRAM, "def decide(entry, today):", "def decide(entry, today, known):",
        "def decide(", "takes known, and nothing is looked up beforehand; write it as def decide(entry, today):",
    ),
    Mistake(
        "a branch beside the live version", WAREHOUSE, "\nlimits:", "\nshadow: {version: trial}\nlimits:",
        "shadow:", "shadow.version is trial, and no folder with a version's files stands there; name such a folder",
    ),
]  # fmt: skip
