"""What people do on the page: decide what waits, let go or drop what is held, make examples, promote."""

from collections.abc import Awaitable, Callable, Mapping
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
from flows.review import acts, checklist, examples, going_live, questions, waits
from flows.review.desk import Desk
from flows.review.door import Role, Session
from flows.review.examples import Wanted
from flows.settings import Settings
from flows.tenants import Deployment

Form = Mapping[str, str]
Make = Callable[[Session, Form], str]
Handler = Callable[[Request], Awaitable[Response]]
PAGES = ("/waiting", "/held", "/questions", "/example", "/checklist")
LONGEST = 2000  # characters of what a person writes into one field
NOT_ALLOWED, NOT_DONE = 403, 409


class TooLong(Spoken):
    """What was written into a field is not taken. One line."""


class Template(Protocol):
    """Makes a page of the review out of one of its templates."""

    def __call__(self, name: str, session: Session, **values: object) -> str: ...


@dataclass(frozen=True, slots=True)
class Page:
    """What the page's application lends to the acts."""

    deployment: Deployment
    desk: Desk
    session: Callable[[Request], Session | None]
    closed: Callable[[], Response]
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


class _Acting:
    def __init__(self, page: Page) -> None:
        self._page, self._settings = page, Settings()
        self._deployment, self._ledger = page.deployment, page.desk.ledger

    def shown(self, make: Make, role: Role = Role.VIEWER) -> Handler:
        """The handler of a page that is looked at."""

        async def handler(request: Request) -> Response:
            session = self._page.session(request)
            if session is None:
                return self._page.closed()
            if session.role < role:
                return HTMLResponse("not allowed", NOT_ALLOWED)
            return await run_in_threadpool(self._made, session, make, dict(request.query_params))

        return handler

    def done(self, role: Role, act: Make) -> Handler:
        """The handler of an act, which gives where to go afterwards, or says why it was not done."""

        async def handler(request: Request) -> Response:
            session = self._page.session(request)
            if session is None:
                return self._page.closed()
            sent = parse_qs((await request.body()).decode(), keep_blank_values=True)
            form = {name: ones[0].replace("\r\n", "\n") for name, ones in sent.items()}
            if session.role < role or form.get("proof") != session.proof:
                return HTMLResponse("not allowed", NOT_ALLOWED)
            return await run_in_threadpool(self._acted, session, act, form)

        return handler

    def _made(self, session: Session, make: Make, asked: Form) -> Response:
        try:
            return HTMLResponse(make(session, asked))
        except Spoken as said:
            return self._told(session, said)

    def _acted(self, session: Session, act: Make, form: Form) -> Response:
        try:
            if any(len(text) > LONGEST for text in form.values()):
                raise TooLong(f"a field holds more than {LONGEST} characters; say it shorter")
            return RedirectResponse(act(session, form), 303)
        except Spoken as said:
            return self._told(session, said)

    def _told(self, session: Session, said: Spoken) -> Response:
        return HTMLResponse(self._page.template("told.html", session, line=str(said)), NOT_DONE)

    def waiting(self, session: Session, asked: Form) -> str:
        start, values = _number(asked.get("at", "")), session.role >= Role.REVIEWER
        ones = waits.told(self._deployment, self._ledger, start, session.person, values=values)
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
        if verdict == "leave":
            acts.leave(self._ledger, ref, reason, session.person)
        elif verdict == "again":
            acts.again(self._ledger, ref, reason, session.person)
        else:
            option = form.get("option", "")
            acts.answer(self._deployment, self._ledger, ref, option, reason, session.person)
        return "/waiting"

    def held(self, session: Session, _asked: Form) -> str:
        may = session.role >= Role.APPROVER
        return self._page.template("held.html", session, ones=waits.held(self._ledger), may_settle=may)

    def settle(self, session: Session, form: Form) -> str:
        keys = [form["key"]] if form.get("key") else holds.held_for(self._ledger, form.get("code", ""))
        acts.settle(self._ledger, keys, session.person, go=form.get("verdict") == "release")
        return "/held"

    def open_questions(self, session: Session, _asked: Form) -> str:
        folder = self._settings.deployments / self._deployment.label
        return self._page.template("questions.html", session, ones=questions.still_open(folder))

    def example(self, session: Session, asked: Form) -> str:
        """The invented entry alone is shown; that the real one was read is in the audit."""
        key = asked.get("key", "")
        with self._ledger.told_by(f"person {session.person}"):
            noting.note_beside(self._ledger, f"an example drawn from a write of {self._ledger.name}", key)
        proposal = examples.proposed(self._deployment, self._ledger, key)
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
        proposal = examples.proposed(self._deployment, self._ledger, form.get("key", ""))
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
            because=self._deployment.instructions.cites(form.get("because", "")),
            reason=form.get("reason", ""),
        )
        examples.keep(self._settings, self._deployment, proposal, wanted, session.person)
        return "/questions"

    def before_live(self, session: Session, _asked: Form) -> str:
        return self._page.template(
            "checklist.html",
            session,
            points=self._points(),
            may_promote=session.role >= Role.APPROVER,
            person=session.person,
        )

    def promote(self, session: Session, form: Form) -> str:
        going_live.promote(
            self._settings, self._deployment, self._points(), form.get("author", ""), session.person
        )
        return "/checklist"

    def _points(self) -> list[checklist.Point]:
        if self._ledger.name == self._deployment.name:  # what is live is looked at: the stage is another desk
            return going_live.points(self._settings, self._deployment)
        return checklist.points(self._settings, self._deployment, self._page.desk)


def _number(text: str) -> int:
    return int(text) if text.isdecimal() and len(text) < 10 else 0
