"""One deployment of a prefect.yaml against the tenant it is in: names, tags, schedule.

It is looked at as it was written, so that a mistake in one key hides none in the others.
"""

from collections.abc import Iterator, Mapping
from typing import cast

from flows import naming, schedules
from flows.check.connections import Described
from flows.check.findings import Findings
from flows.check.marked import Marked, Place, dotted
from flows.parameters import Mode

SECRETIVE = frozenset({"env", "env_from_secrets", "credentials"})
"""Job variables through which secrets would reach a run. What it needs, the work pool gives it."""


class Written:
    """A deployment as it was written: each part that has the right shape, and nothing of the others."""

    def __init__(self, given: object) -> None:
        whole = _mapping(given)
        asked = _mapping(_mapping(whole.get("parameters")).get("integration"))
        self.name = _text(whole.get("name"))
        pool = _mapping(whole.get("work_pool"))
        self.pool = _text(pool.get("name"))
        self.job = _mapping(pool.get("job_variables"))
        self.tenant = _text(asked.get("tenant"))
        self.integration = _text(asked.get("integration"))
        self.mode: Mode = "staging" if asked.get("mode") == "staging" else "live"
        self.emit = _text(asked.get("emit")) or "always"
        self.tags = [_text(tag) for tag in _list(whole.get("tags"))] if "tags" in whole else None
        self.schedules = [_mapping(one) for one in _list(whole.get("schedules"))]


class Look:
    """What is wrong with one deployment."""

    def __init__(
        self, marked: Marked, place: Place, one: Written, described: Described | None, findings: Findings
    ) -> None:
        self.marked, self.place, self.one, self.findings = marked, place, one, findings
        self.tenant = marked.path.parent.name
        self.timezone = described.timezone if described else None
        self._names()
        self._tags()
        self._templates()
        self._job_variables()
        self._schedules()

    def _say(self, where: Place, what: str, todo: str) -> None:
        there = (*self.place, *where)
        self.findings.add(self.marked.path, self.marked.line(there), f"{dotted(there)} {what}", todo)

    def _names(self) -> None:
        one, tenant = self.one, self.tenant
        if one.tenant and one.tenant != tenant:
            where: Place = ("parameters", "integration", "tenant")
            self._say(where, f"is {one.tenant}, in {tenant}'s file", f"write {tenant}")
        wanted = naming.deployment(tenant, one.integration, one.mode)
        if one.name and one.integration and one.name != wanted:
            self._say(("name",), f"is {one.name}", f"write {wanted}")

    def _tags(self) -> None:
        if self.one.tags is None:
            return  # told as missing
        for tag in ("ferry", f"tenant:{self.tenant}"):
            if tag not in self.one.tags:
                self._say(("tags",), f"lack {tag}", "add it there")
        for at, tag in enumerate(self.one.tags):
            if tag.startswith("tenant:") and tag != f"tenant:{self.tenant}":
                self._say(("tags", at), f"is {tag}, another tenant's", "remove it")

    def _templates(self) -> None:
        texts: list[tuple[Place, str]] = [(("name",), self.one.name), (("work_pool", "name"), self.one.pool)]
        texts += [(("tags", at), tag) for at, tag in enumerate(self.one.tags or ())]
        for where, text in texts:
            if "{{" in text or text.startswith("$"):
                self._say(where, f"is a template, {text}", "write the value itself")

    def _job_variables(self) -> None:
        """Prefect keeps them in clear, and its deploy fills a template with what the secret block holds."""
        place: Place = ("work_pool", "job_variables")
        for name in sorted(SECRETIVE & self.one.job.keys()):
            todo = "remove it; the work pool's env_from_secrets, or the worker's environment, is for that"
            self._say((*place, name), "does not belong here, where Prefect keeps all in clear", todo)
        for where, text in _texts(self.one.job):
            if "{{" in text:
                self._say((*place, *where), "is a template", "write the value itself, if it is no secret")

    def _schedules(self) -> None:
        rhythms = set(self._rhythms())
        if len(self.one.schedules) > 1:
            self._say(("schedules", 1), "is a second schedule of one integration", "keep one of them")
        if self.one.emit != "always" and rhythms - {"weekly"}:
            where: Place = ("parameters", "integration", "emit")
            what = f"is {self.one.emit}, which needs a weekly schedule"
            self._say(where, what, 'write a weekly cron, such as "0 6 * * 5"')

    def _rhythms(self) -> Iterator[str]:
        for at, given in enumerate(self.one.schedules):
            try:
                schedule = schedules.parse(given)
            except schedules.ScheduleUnsupported as error:
                what, _, todo = str(error).partition("; ")
                self._say(("schedules", at, "cron"), f"({what})", todo)
                continue
            if self.timezone and schedule.timezone != self.timezone:
                what = f"is {schedule.timezone}, not tenant.yaml's"
                self._say(("schedules", at, "timezone"), what, f"write {self.timezone}")
            yield schedule.rhythm


def _texts(given: object) -> Iterator[tuple[Place, str]]:
    """Every text within, and where."""
    if isinstance(given, str):
        yield (), given
    inner = _mapping(given).items() or enumerate(_list(given))
    for name, one in inner:
        for where, text in _texts(one):
            yield (name, *where), text


def _mapping(given: object) -> Mapping[str, object]:
    return cast("Mapping[str, object]", given) if isinstance(given, dict) else {}


def _list(given: object) -> list[object]:
    return cast("list[object]", given) if isinstance(given, list) else []


def _text(given: object) -> str:
    return given if isinstance(given, str) else ""
