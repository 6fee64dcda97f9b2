"""The page: routes on loopback. No value and no patient is in an address; the browser keeps nothing."""

from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from urllib.parse import parse_qs, urlencode

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.middleware.base import BaseHTTPMiddleware
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles

from flows import acts
from flows.ledger import marks
from flows.ledger.marks import Verdict
from flows.review import acting
from flows.review.desk import Desk, Filter, Line, counted
from flows.review.door import Door, Role, Session
from flows.review.telling import Told, told
from flows.tenants import Deployment
from flows.trend import past

HERE = Path(__file__).parent
COOKIE = "ferry_review"
VERDICTS: Mapping[str, Verdict] = {"right": "right", "wrong": "wrong"}
SHOWN = 50  # writes on one page
SAMPLE = 20
LONGEST = 2000  # characters of a remark
HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}
TEMPLATES = Environment(
    loader=FileSystemLoader(HERE / "templates"), autoescape=True, undefined=StrictUndefined, trim_blocks=True
)


def application(deployment: Deployment, desk: Desk, door: Door, host: str) -> Starlette:
    """The page's application. host: the only name and port by which it answers."""
    page = _Page(deployment, desk, door)
    routes = [
        Route("/enter", page.enter),
        Route("/", page.overview),
        Route("/writes", page.writes),
        Route("/sample", page.sample),
        Route("/mark", page.mark, methods=["POST"]),
        Route("/leave", page.leave, methods=["POST"]),
        Mount("/static", StaticFiles(directory=HERE / "static")),
    ]
    routes += acting.routes(page.lent())
    made = Starlette(routes=routes)

    async def guard(request: Request, go_on: Callable[[Request], Awaitable[Response]]) -> Response:
        """Another name for this machine is another site's page: it is not answered."""
        if request.headers.get("host") != host:
            return HTMLResponse("not here", 421)
        if request.method == "POST" and request.headers.get("origin") != f"http://{host}":
            return HTMLResponse("not from this page", 403)
        response = await go_on(request)
        response.headers.update(HEADERS)
        return response

    made.add_middleware(BaseHTTPMiddleware, dispatch=guard)
    return made


class _Page:
    def __init__(self, deployment: Deployment, desk: Desk, door: Door) -> None:
        self._deployment, self._desk, self._door = deployment, desk, door
        self._texts = {one.number: one.text for one in deployment.instructions.sentences}

    def lent(self) -> acting.Page:
        """What the acts need of the page."""
        return acting.Page(self._deployment, self._desk, self._session, self._closed, self._template)

    async def enter(self, request: Request) -> Response:
        name = self._door.enter(request.query_params.get("token", ""))
        if name is None:
            return self._closed()
        response = RedirectResponse("/", 303)
        response.set_cookie(COOKIE, name, httponly=True, samesite="strict", path="/")
        return response

    async def leave(self, request: Request) -> Response:
        self._door.leave(request.cookies.get(COOKIE, ""))
        return self._closed()

    async def overview(self, request: Request) -> Response:
        return await self._shown(request, self._overview)

    async def writes(self, request: Request) -> Response:
        return await self._shown(request, self._writes)

    async def sample(self, request: Request) -> Response:
        return await self._shown(request, self._sample)

    async def mark(self, request: Request) -> Response:
        session = self._session(request)
        if session is None:
            return self._closed()
        form = {name: ones[0] for name, ones in parse_qs((await request.body()).decode()).items()}
        if session.role < Role.REVIEWER or form.get("proof") != session.proof:
            return HTMLResponse("not allowed", 403)
        verdict, key = VERDICTS.get(form.get("verdict", "")), form.get("key", "")
        if verdict is None or key not in await run_in_threadpool(self._keys):
            return HTMLResponse("not understood", 400)
        remark = form.get("remark", "")[:LONGEST]
        await run_in_threadpool(marks.put, self._desk.ledger, key, verdict, remark, session.person)
        return RedirectResponse(_back(form.get("back", "")), 303)

    def _overview(self, session: Session, _asked: Mapping[str, str]) -> str:
        lines, runs = self._desk.lines(), past(self._desk.ledger)
        return self._template("overview.html", session, counts=counted(lines), number=len(lines), runs=runs)

    def _writes(self, session: Session, asked: Mapping[str, str]) -> str:
        names = Filter.__dataclass_fields__
        filtered = Filter(**{name: value for name, value in asked.items() if name in names})
        chosen, at = self._desk.chosen(filtered), max(0, int(asked.get("at", "0") or 0))
        query = {name: value for name, value in asked.items() if name in names and value}
        return self._template(
            "writes.html",
            session,
            ones=self._told(session, chosen[at : at + SHOWN]),
            counts=counted(self._desk.lines()),
            asked=filtered,
            number=len(chosen),
            at=at,
            shown=SHOWN,
            query=urlencode(query),
        )

    def _sample(self, session: Session, _asked: Mapping[str, str]) -> str:
        ones = self._told(session, self._desk.sample(SAMPLE))
        return self._template("sample.html", session, ones=ones, query="")

    def _told(self, session: Session, lines: list[Line]) -> list[Told]:
        """The writes as they are shown. Whoever sees values is in the audit before they are read."""
        values = session.role >= Role.REVIEWER
        if values and lines:
            act = f"writes of {self._desk.ledger.name} reviewed with their values"
            with self._desk.ledger.told_by(f"person {session.person}"):
                acts.note_beside(self._desk.ledger, act, *(one.key for one in lines))
        opened, said = self._desk.opened([one.key for one in lines]), self._desk.marks()
        return [told(one, opened[one.key], said.get(one.key), self._texts, values=values) for one in lines]

    def _keys(self) -> set[str]:
        return {one.key for one in self._desk.lines()}

    def _session(self, request: Request) -> Session | None:
        return self._door.admit(request.cookies.get(COOKIE, ""))

    async def _shown(self, request: Request, make: Callable[[Session, Mapping[str, str]], str]) -> Response:
        session = self._session(request)
        if session is None:
            return self._closed()
        return HTMLResponse(await run_in_threadpool(make, session, dict(request.query_params)))

    def _closed(self) -> Response:
        response = HTMLResponse(
            TEMPLATES.get_template("closed.html").render(label=self._deployment.label), 403
        )
        response.delete_cookie(COOKIE)
        return response

    def _template(self, name: str, session: Session, **values: object) -> str:
        return TEMPLATES.get_template(name).render(
            label=self._deployment.label,
            staged=self._desk.ledger.name != self._deployment.name,
            session=session,
            texts=self._texts,
            may_mark=session.role >= Role.REVIEWER,
            **values,
        )


def _back(asked: str) -> str:
    """Where the form came from, on this page only."""
    return asked if asked.startswith(("/writes", "/sample")) and "\n" not in asked else "/writes"
