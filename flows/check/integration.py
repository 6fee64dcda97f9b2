"""An integration's folder: integration.yaml, instructions, program, approval."""

import datetime
from collections.abc import Iterator, Mapping
from pathlib import Path

from agent import manifest as manifests
from agent.access import PROGRAM
from agent.grants import granted_operations
from agent.instructions import PROGRAM_FILE, Instructions
from agent.manifest import Manifest
from agent.policy import OperationGrant, Policy
from agent.refusals import PolicyError
from connectors.operation import Write
from flows import pins
from flows.check import approvals, models, offers, pairs, staging
from flows.check.connections import Described
from flows.check.findings import Findings
from flows.check.folder import Fields, near, read_fields, read_instructions
from flows.check.job import Job
from flows.check.marked import Marked, Place, dotted, model, read
from flows.check.targets import objections, troubles
from flows.systems import sources
from flows.tenants import Connectors, Integration, Target


def check(
    folder: Path,
    described: Described | None,
    findings: Findings,
    *,
    production: bool,
    today: datetime.date,
    approved: bool = True,
    live: bool = True,
) -> Job | None:
    """Looks at all of a folder but the program, and says what is to be done for that.

    approved: its approval, too; a version that is not the live one has none. live: whether it is deployed
    to be; what is tried in staging alone needs no approval.
    None if a part cannot be used, so that there is nothing to hold the others against.
    """
    instructions = read_instructions(folder, findings)
    marked = read(folder / "integration.yaml", findings)
    integration = model(marked, Integration, findings) if marked else None
    there = described.connections if described else {}
    if approved and live:
        approvals.check(folder, integration, there, findings, production=production, today=today)
    if marked is None or integration is None:
        return None
    looked = _Look(marked, integration, described, findings)
    manifest, listed = read_fields(folder, instructions, looked.fields, findings)
    looked.manifest = manifest
    looked.deciding(has_program=(folder / PROGRAM_FILE).is_file(), production=production)
    writes = looked.targets()
    if approved:
        pairs.check(marked, integration, there, writes or {}, instructions, findings)
    if instructions is None or writes is None or manifest is None or looked.fields is None:
        return None
    zone = described.zone if described else "UTC"
    return _job(folder, looked, instructions, manifest, listed, writes, zone)


def _job(
    folder: Path,
    looked: "_Look",
    instructions: Instructions,
    manifest: Manifest,
    listed: list[tuple[int, str, str]],
    writes: Mapping[str, Write],
    zone: str,
) -> Job | None:
    """What the checks of the whole need; None if a granted write or the program is not there."""
    policy, marked, there = looked.integration.policy(instructions, zone), looked.marked, looked.fields or {}
    looked.grants(policy, writes, there)
    looked.asking(policy, writes)
    no_program = policy.by == "program" and instructions.program is None
    if no_program or set(policy.operations) - set(writes):
        return None
    return Job(
        path=folder / PROGRAM_FILE,
        instructions=instructions,
        policy=policy,
        writes={name: writes[name] for name in policy.operations},
        fields=offers.known(there, manifest.paths),
        category=offers.categories(there),
        granted=tuple((marked.line(place), write, name) for place, write, name in looked.arguments()),
        lookups=looked.integration.decide.lookups if policy.by == "model" else (),
        listed=tuple(listed),
    )


class _Look:
    """One integration.yaml, looked at against what its connectors offer."""

    def __init__(
        self,
        marked: Marked,
        integration: Integration,
        described: Described | None,
        findings: Findings,
    ) -> None:
        self.marked, self.integration, self.findings = marked, integration, findings
        self.manifest: Manifest | None = None
        self.connections = described.connections if described else {}
        if described:
            self._named()
        self.fields = self._source() if described else None

    def say(self, place: Place, what: str, todo: str) -> None:
        self.findings.add(self.marked.path, self.marked.line(place), f"{dotted(place)} {what}", todo)

    def _named(self) -> None:
        for name, place in self.integration.connections().items():
            if name not in self.connections:
                there = ", ".join(sorted(self.connections)) or "none"
                self.say(
                    place, f"names {name}, which is not in tenant.yaml", f"add it there; it has: {there}"
                )
        if self.integration.decide.connection:
            self._kind(self.integration.decide.connection, "model", ("decide", "connection"))

    def _kind(self, name: str, wanted: str, place: Place) -> None:
        found = self.connections.get(name)
        if found and found.connector != wanted:
            self.say(place, f"names {name}, which is {found.connector}", f"name one that is {wanted}")

    def _source(self) -> Fields | None:
        """What the source's entries have; None if it is none."""
        reached = self.connections.get(self.integration.source)
        if reached is None:
            return None  # told
        if reached.connector not in sources():
            what = f"names {self.integration.source}, which is {reached.connector}"
            self.say(("source",), what, f"name one that is {' or '.join(sources())}")
            return None
        return offers.fields(self.integration, self.connections)

    def deciding(self, *, has_program: bool, production: bool) -> None:
        deciding = self.integration.decide
        if deciding.by == PROGRAM and not has_program:
            what = f"is program, and there is no {PROGRAM_FILE}"
            self.say(("decide", "by"), what, "write it, or name a model")
        if deciding.judge and deciding.by != PROGRAM:
            self.say(("decide", "judge"), "has nothing to do: a model decides", "remove it")
        if deciding.fallback and deciding.fallback in (PROGRAM, deciding.by, deciding.judge):
            todo = "name another model, and only where a model decides"
            self.say(("decide", "fallback"), f"is {deciding.fallback}", todo)
        of_a_model = {"fallback": deciding.fallback, "batch": deciding.batch}
        for key, written in of_a_model.items():
            if written and deciding.by == PROGRAM:
                self.say(("decide", key), "has nothing to do: a program decides", "remove it")
        self._shadow()
        if not deciding.models():
            return
        if deciding.connection is None:
            self.say(("decide",), "has no connection", "name the one that the model is reached by")
        root, reached = self.marked.path.parent.parent.parent, self.connections.get(deciding.connection or "")
        for place, what, todo in models.objections(root, deciding, reached, production=production):
            self.say(("decide", place), what, todo)

    def _shadow(self) -> None:
        shadow = self.integration.shadow
        if shadow and (problem := pins.unpinnable(self.marked.path.parent, shadow)):
            self.say(("shadow", "version"), problem, pins.PINNABLE)

    def targets(self) -> dict[str, Write] | None:
        """Every write of the targets by full name; None if a target is unknown."""
        found = {name: self._offered(name, target) for name, target in self.integration.targets.items()}
        kinds = {name: one.connector for name, one in self.connections.items() if one}
        for name, what, todo in staging.objections(self.integration, kinds):
            self.say(("targets", name, "staging"), what, todo)
        whole = None not in found.values()
        there = [(name, each) for name, each in found.items() if each]
        lookups = {f"{name}_{short}" for name, each in there for short in each.lookups}
        for at, lookup in enumerate(self.integration.decide.lookups) if whole else ():
            if lookup not in lookups:
                place: Place = ("decide", "lookups", at)
                self.say(place, f"is {lookup}, which no target has", near(lookup, lookups))
        named = {f"{name}_{short}": write for name, each in there for short, write in each.writes.items()}
        return named if whole else None

    def _offered(self, name: str, target: Target) -> offers.Offered | None:
        """What a target offers, held against what is wanted of it; None if it cannot be told."""
        connection = self.connections.get(target.connection)
        if connection is None:
            return None
        sound = self._options(name, target, connection.connector)
        unsound = list(troubles(target))
        for at, what in unsound:
            self.say(("targets", name, "tables", at), f"({what})", "correct it")
        if sound is None or unsound:
            return None
        try:
            there = offers.offered(connection.connector, sound)
        except ValueError as error:
            self.say(("targets", name), f"({str(error).splitlines()[0]})", "correct it")
            return None
        self._target(name, target, there.writes)
        for below, what, todo in objections(connection.connector, there.holds, target):
            self.say(("targets", name, *below), what, todo)
        if target.staging and target.staging.sandbox:
            trials = target.model_copy(update={"confirmed": target.staging.confirmed})
            for below, what, todo in objections(connection.connector, there.holds, trials):
                self.say(("targets", name, "staging", *below), what, todo)
        return there

    def _target(self, name: str, target: Target, writes: Mapping[str, Write]) -> None:
        for short in target.writes:
            if short not in writes:
                place: Place = ("targets", name, "writes", short)
                self.say(place, "is no write of its target", near(short, writes))
        for at, table in enumerate(target.tables):
            if f"upsert_{table.name}" not in writes:
                self.say(("targets", name, "tables", at), "is a table, and its target has none", "use writes")

    def _options(self, name: str, target: Target, connector: Connectors) -> Target | None:
        """The target with those of its options that there are; None if one of them is wrong."""
        kind = offers.options(connector)
        place: Place = ("targets", name, "options")
        if kind is None:
            if target.options:
                self.say(place, f"are none of {connector}'s", "remove them")
            return target.model_copy(update={"options": {}})
        sound = model(self.marked, kind, self.findings, target.options, place)
        given = {"options": sound.model_dump(mode="json", exclude_unset=True)} if sound else None
        return target.model_copy(update=given) if given else None

    def grants(self, policy: Policy, writes: Mapping[str, Write], known: Fields) -> None:
        """Each granted argument by itself, so that each mistake is told."""
        for place, operation, argument in self.arguments():
            if operation not in writes:
                continue
            grant = OperationGrant(arguments={argument: policy.operations[operation].arguments[argument]})
            part = policy.model_copy(update={"operations": {operation: grant}})
            try:
                granted_operations(part, writes, offers.categories(known))
            except PolicyError as error:
                what, _, todo = str(error).removeprefix("policy: ").partition("; ")
                self.findings.add(self.marked.path, self.marked.line(place), what, todo or "correct it")
            for path in grant.arguments[argument].sources:
                if path in known and self.manifest and path not in self.manifest.paths:
                    todo = f"add it to {manifests.FILE}, at the sentence that needs it"
                    self.say((*place, "from"), f"names {path}, which is not read", todo)

    def asking(self, policy: Policy, writes: Mapping[str, Write]) -> None:
        """What is to wait for a person each time, and never comes."""
        moves = any(writes[name].money for name in policy.operations if name in writes)
        for at, kind in enumerate(self.integration.limits.ask_first):
            if kind == "money" and not moves:
                self.say(("limits", "ask_first", at), "is money, and no granted write moves any", "remove it")

    def arguments(self) -> Iterator[tuple[Place, str, str]]:
        for name, target in self.integration.targets.items():
            for at, table in enumerate(target.tables):
                for column in table.columns:
                    place: Place = ("targets", name, "tables", at, "columns", column)
                    yield place, f"{name}_upsert_{table.name}", column
            for write, given in target.writes.items():
                for argument in given.arguments:
                    yield (
                        ("targets", name, "writes", write, "arguments", argument),
                        f"{name}_{write}",
                        argument,
                    )
