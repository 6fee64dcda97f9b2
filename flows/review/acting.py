"""What people do on the page: decide what waits, let go or drop what is held, make examples, promote."""

import hashlib
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol
from urllib.parse import parse_qs

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import Route

from flows import acts as noting
from flows.errors import Spoken
from flows.ledger import holds, waiting
from flows.review import acts, examples, going_live, questions, waits
from flows.review.acts import NotDecided
from flows.review.desk import Desk
from flows.review.door import Role, Session
from flows.review.examples import Wanted
from flows.review.going_live import Looked
from flows.settings import Settings
from flows.tenants import Deployment, load

Form = Mapping[str, str]
Make = Callable[[Session, Form], str]
Handler = Callable[[Request], Awaitable[Response]]
PAGES = ("/waiting", "/held", "/questions", "/example", "/checklist")
LONGEST = 2000  # characters of what a person writes into one field
NOT_ALLOWED = 403


class TooLong(Spoken):
    """What was written into a field is not taken. One line."""


class Template(Protocol):
    """Makes a page of the review out of one of its templates."""

    def __call__(self, name: str, session: Session, **values: object) -> str: ...


@dataclass(frozen=True, slots=True)
class Page:
    """What the page's application lends to the acts."""

    label: str
    desk: Desk
    session: Callable[[Request], Session | None]
    closed: Callable[[Request], Response]
    template: Template


def routes(page: Page) -> list[Route]:
    """The addresses of the acts, to be mounted beside the page's own."""
    made = _Acting(page)
    return [
        Route("/waiting", made.shown(made.waiting)),
        Route("/waiting", made.done(Role.REVIEWER, made.decide), methods=["POST"]),
        Route("/held", made.shown(made.held)),
        Route("/held", made.done(Role.APPROVER, made.settle), methods=["POST"]),
        Route("/questions", made.shown(made.open_questions)),
        Route("/example", made.shown(made.example, Role.REVIEWER)),
        Route("/example", made.done(Role.REVIEWER, made.keep), methods=["POST"]),
        Route("/checklist", made.shown(made.before_live)),
        Route("/promote", made.done(Role.APPROVER, made.promote), methods=["POST"]),
    ]


async def form_of(request: Request) -> dict[str, str]:
    """What a form says, by name. What is no UTF-8 becomes a mark that matches nothing."""
    sent = parse_qs((await request.body()).decode("utf-8", "replace"), keep_blank_values=True)
    return {name: ones[0] for name, ones in sent.items()}


class _Acting:
    def __init__(self, page: Page) -> None:
        self._page, self._settings = page, Settings()
        self._folder, self._ledger = self._settings.deployments / page.label, page.desk.ledger

    def _deployment(self) -> Deployment:
        """As its files are now: they may have changed since the page was opened."""
        return load(self._settings.deployments, self._page.label)

    def shown(self, make: Make, role: Role = Role.VIEWER) -> Handler:
        """The handler of a page that is looked at."""

        async def handler(request: Request) -> Response:
            session = self._page.session(request)
            if session is None:
                return self._page.closed(request)
            if session.role < role:
                return HTMLResponse("not allowed", NOT_ALLOWED)
            return HTMLResponse(await run_in_threadpool(make, session, dict(request.query_params)))

        return handler

    def done(self, role: Role, act: Make) -> Handler:
        """The handler of an act, which gives where to go afterwards, or says why it was not done."""

        async def handler(request: Request) -> Response:
            session = self._page.session(request)
            if session is None:
                return self._page.closed(request)
            form = {name: text.replace("\r\n", "\n") for name, text in (await form_of(request)).items()}
            if session.role < role or form.get("proof") != session.proof:
                return HTMLResponse("not allowed", NOT_ALLOWED)
            if any(len(text) > LONGEST for text in form.values()):
                raise TooLong(f"a field holds more than {LONGEST} characters; say it shorter")
            return RedirectResponse(await run_in_threadpool(act, session, form), 303)

        return handler

    def waiting(self, session: Session, asked: Form) -> str:
        start, values = _number(asked.get("at", "")), session.role >= Role.REVIEWER
        ones = waits.told(self._deployment(), self._ledger, start, session.person, values=values)
        return self._page.template(
            "waiting.html",
            session,
            ones=ones,
            number=waiting.number(self._ledger),
            at=start,
            shown=waits.SHOWN,
        )

    def decide(self, session: Session, form: Form) -> str:
        ref, reason, verdict = form.get("entry", ""), form.get("reason", ""), form.get("verdict", "")
        option = form.get("option", "")
        if verdict == "leave":
            acts.leave(self._ledger, ref, reason, session.person)
        elif verdict == "again":
            acts.again(self._ledger, ref, reason, session.person)
        elif option and not verdict:
            acts.answer(self._deployment(), self._ledger, ref, option, reason, session.person)
        else:
            raise NotDecided("nothing was decided; say leave, again or one of its options")
        return "/waiting"

    def held(self, session: Session, _asked: Form) -> str:
        ones, may = waits.held(self._ledger), session.role >= Role.APPROVER
        shown = {one.code: _digest(one.number, holds.held_for(self._ledger, one.code)) for one in ones}
        return self._page.template("held.html", session, ones=ones, shown=shown, may_settle=may)

    def settle(self, session: Session, form: Form) -> str:
        """A person's word holds for what they were shown: what is held since is looked at first."""
        verdict, keys = form.get("verdict", ""), holds.held_for(self._ledger, form.get("code", ""))
        if verdict not in ("release", "discard"):
            raise NotDecided("nothing was decided; say release or discard")
        if form.get("shown") != _digest(len(keys), keys):
            raise NotDecided("nothing was decided: what is held is not what was shown; look at it again")
        acts.settle(self._ledger, keys, session.person, go=verdict == "release")
        return "/held"

    def open_questions(self, session: Session, _asked: Form) -> str:
        return self._page.template("questions.html", session, ones=questions.still_open(self._folder))

    def example(self, session: Session, asked: Form) -> str:
        """The invented entry alone is shown; that the real one was read is in the audit."""
        deployment, key = self._deployment(), asked.get("key", "")
        with self._ledger.told_by(f"person {session.person}"):
            noting.note_beside(self._ledger, f"an example drawn from a write of {self._ledger.name}", key)
        proposal = examples.proposed(deployment, self._ledger, key)
        return self._page.template(
            "example.html",
            session,
            key=key,
            call=proposal.call,
            today=proposal.case.today,
            leaves=examples.leaves_of(proposal),
            values=examples.values_of(proposal),
            longest=LONGEST,
        )

    def keep(self, session: Session, form: Form) -> str:
        deployment = self._deployment()
        proposal = examples.proposed(deployment, self._ledger, form.get("key", ""))
        kind, shown = form.get("kind", ""), examples.values_of(proposal)
        given = {
            name.removeprefix("value."): text for name, text in form.items() if name.startswith("value.")
        }
        # The last line end is that of a key which sends the form in other fields.
        values = {name: text.rstrip("\n") for name, text in given.items() if text != shown.get(name, "")}
        wanted = Wanted(
            shows=form.get("shows", ""),
            kind="skip" if kind == "skip" else "review" if kind == "review" else "write",
            values=values,
            because=deployment.instructions.cites(form.get("because", "")),
            reason=form.get("reason", ""),
        )
        examples.keep(self._settings, deployment, proposal, wanted, session.person)
        return "/questions"

    def before_live(self, session: Session, _asked: Form) -> str:
        found = self._looked()
        return self._page.template(
            "checklist.html",
            session,
            points=found.points,
            beside=found.beside,
            may_promote=session.role >= Role.APPROVER,
            person=session.person,
        )

    def promote(self, session: Session, form: Form) -> str:
        going_live.promote(self._settings, self._looked(), form.get("author", ""), session.person)
        return "/checklist"

    def _looked(self) -> Looked:
        desk = self._page.desk  # of what is live: then the stage is another one
        return going_live.looked(self._settings, self._page.label, desk if desk.staged else None)


def _digest(number: int, keys: Sequence[str]) -> str:
    """Names what a page shows: so many deliveries, and these."""
    return hashlib.sha256(" ".join([str(number), *keys]).encode()).hexdigest()


def _number(text: str) -> int:
    return int(text) if text.isdecimal() and len(text) < 10 else 0
