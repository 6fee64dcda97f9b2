"""The page: routes on loopback. No value and no patient is in an address; the browser keeps nothing."""

import re
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from urllib.parse import urlencode

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup, escape
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.middleware.base import BaseHTTPMiddleware
from starlette.requests import Request
from starlette.responses import HTMLResponse, PlainTextResponse, RedirectResponse, Response
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles

from agent.visible import visible
from flows.boundary import SPEAKING, place_of
from flows.ledger import marks
from flows.ledger.marks import Verdict
from flows.ledger.stages import StageOver
from flows.review import acting
from flows.review.desk import Desk
from flows.review.door import IDLE, Door, NotAdmitted, Role, Session, admitted
from flows.review.shown import Shown
from flows.settings import Settings
from flows.tenants import Deployment

HERE = Path(__file__).parent
COOKIE = "ferry_review"
VERDICTS: Mapping[str, Verdict] = {"right": "right", "wrong": "wrong"}
PAGES = ("/", "/writes", "/entries", "/sample", *acting.PAGES)
LONGEST = 2000  # characters of a remark
KEY = re.compile(r"\b[0-9a-f]{32}\b")  # of a write
HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; "
    "connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
    "Referrer-Policy": "same-origin",  # with none at all, browsers say of no form where it came from
    "X-Content-Type-Options": "nosniff",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}


def unhidden(value: object) -> object:
    """Whatever a template shows; a browser neither hides nor obeys what is in it."""
    return visible(value, besides="\n\t") if isinstance(value, str) and type(value) is str else value


TEMPLATES = Environment(
    loader=FileSystemLoader(HERE / "templates"),
    autoescape=True,
    undefined=StrictUndefined,
    finalize=unhidden,
    trim_blocks=True,
    lstrip_blocks=True,
)


def prose(text: str) -> Markup:
    """A sentence of the instructions as it is read: what is between backticks is a name."""
    return Markup(re.sub(r"`([^`]+)`", r"<code>\1</code>", str(escape(visible(text)))))  # noqa: S704  # it is escaped


def linked(text: Markup) -> Markup:
    """What names a write by its key leads to it."""
    link = r'<a href="/writes?key=\g<0>">\g<0></a>'
    return Markup(KEY.sub(link, str(text)))  # noqa: S704  # a key is hexadecimal, and the text is escaped


TEMPLATES.filters |= {"prose": prose, "linked": linked}


def application(deployment: Deployment, desk: Desk, door: Door, host: str) -> Starlette:
    """The page's application. host: the only name and port by which it answers."""
    # Browsers send a cookie to every port of a host: two reviews at once have one each.
    page = _Page(deployment, desk, door, f"{COOKIE}_{host.rpartition(':')[2]}")
    routes = [
        Route("/enter", page.enter),
        Route("/", page.overview),
        Route("/writes", page.writes),
        Route("/entries", page.entries),
        Route("/sample", page.sample),
        Route("/idle", page.idle),
        Route("/find", page.find, methods=["POST"]),
        Route("/used", page.used, methods=["POST"]),
        Route("/mark", page.mark, methods=["POST"]),
        Route("/looked", page.looked, methods=["POST"]),
        Route("/keys", page.keys, methods=["POST"]),
        Route("/leave", page.leave, methods=["POST"]),
        Mount("/static", StaticFiles(directory=HERE / "static")),
    ]
    routes += acting.routes(page.lent())
    made = Starlette(
        routes=routes, exception_handlers=dict.fromkeys(SPEAKING, page.told) | {Exception: _failed}
    )

    async def guard(request: Request, go_on: Callable[[Request], Awaitable[Response]]) -> Response:
        """Another name for this machine is another site's page: it is not answered."""
        if request.headers.get("host") != host:
            response: Response = HTMLResponse("not here", 421)
        elif request.method == "POST" and request.headers.get("origin") != f"http://{host}":
            response = HTMLResponse("not from this page", 403)
        else:
            response = await go_on(request)
        response.headers.update(HEADERS)
        return response

    made.add_middleware(BaseHTTPMiddleware, dispatch=guard)
    return made


class _Page:
    def __init__(self, deployment: Deployment, desk: Desk, door: Door, cookie: str) -> None:
        self._deployment, self._desk, self._door, self._cookie = deployment, desk, door, cookie
        self._show, self._settings = Shown(deployment, desk), Settings()

    def lent(self) -> acting.Page:
        """What the acts need of the page."""
        return acting.Page(self._deployment.label, self._desk, self._session, self._closed, self._template)

    async def enter(self, request: Request) -> Response:
        name = self._door.enter(request.query_params.get("token", ""))
        if name is None:
            return self._closed(request)
        response = RedirectResponse("/", 303)
        response.set_cookie(self._cookie, name, httponly=True, samesite="strict", path="/")
        return response

    async def leave(self, request: Request) -> Response:
        self._door.leave(request.cookies.get(self._cookie, ""))
        return self._closed(request)

    async def idle(self, request: Request) -> Response:
        """Where a page goes that nobody used; a session that another page keeps goes on."""
        return self._closed(request, forget=False)

    async def told(self, request: Request, error: Exception) -> Response:
        """What was not done, in the error's one line, which is made for people."""
        session = self._door.admit(request.cookies.get(self._cookie, ""))
        if session is None:
            return self._closed(request)
        return HTMLResponse(self._template("told.html", session, line=str(error)), 409)

    async def overview(self, request: Request) -> Response:
        return await self._shown(request, self._overview)

    async def writes(self, request: Request) -> Response:
        return await self._shown(request, self._writes)

    async def entries(self, request: Request) -> Response:
        return await self._shown(request, self._entries)

    async def sample(self, request: Request) -> Response:
        return await self._shown(request, self._sample)

    async def used(self, request: Request) -> Response:
        """Somebody reads or types: the session goes on."""
        return Response(status_code=403 if self._session(request) is None else 204)

    async def find(self, request: Request) -> Response:
        """Filter. Who is looked for may be a patient's id: it goes no further than this request."""
        session, form = await self._posted(request)
        if session is None:
            return HTMLResponse("not allowed", 403)
        who = await run_in_threadpool(self._show.pseudonym, session, form.get("entry", ""))
        query = urlencode(self._show.filled(form | {"entry": who}))
        path = "/entries" if form.get("of") == "entries" else "/writes"
        return RedirectResponse(f"{path}?{query}" if query else path, 303)

    async def mark(self, request: Request) -> Response:
        """Note that a write is right or wrong."""
        session, form = await self._posted(request)
        if session is None or session.role < Role.REVIEWER:
            return HTMLResponse("not allowed", 403)
        verdict, key = VERDICTS.get(form.get("verdict", "")), form.get("key", "")
        if verdict is None or key not in await run_in_threadpool(self._keys):
            return HTMLResponse("not understood", 400)
        remark = form.get("remark", "")[:LONGEST]
        try:
            await run_in_threadpool(marks.put, self._desk.ledger, key, verdict, remark, session.person)
        except StageOver:  # as the click came in
            return self._closed(request)
        return RedirectResponse(_back(form.get("back", "")), 303)

    async def looked(self, request: Request) -> Response:
        """Put a sample by: what was in it is not sampled again in this session."""
        session, form = await self._posted(request)
        if session is None:
            return HTMLResponse("not allowed", 403)
        session.looked.update(form.get("keys", "").split())
        return RedirectResponse("/sample", 303)

    async def keys(self, request: Request) -> Response:
        """Turn single letters off, or on again: who speaks to a computer presses many."""
        session, form = await self._posted(request)
        if session is None:
            return HTMLResponse("not allowed", 403)
        session.keys = form.get("on") == "yes"
        return RedirectResponse(_back(form.get("back", "")), 303)

    async def _posted(self, request: Request) -> tuple[Session | None, dict[str, str]]:
        """The session and what its own form says; None if it is not its own, or there is no session."""
        session = self._session(request)
        form = await acting.form_of(request)
        return (session if session and form.get("proof") == session.proof else None), form

    def _overview(self, session: Session, _asked: Mapping[str, str]) -> str:
        return self._template("overview.html", session, **self._show.overview())

    def _writes(self, session: Session, asked: Mapping[str, str]) -> str:
        said = self._show.writes(session, asked)
        return self._template("writes.html", session, query=urlencode(self._show.filled(asked)), **said)

    def _entries(self, session: Session, asked: Mapping[str, str]) -> str:
        said = self._show.entries(session, asked)
        return self._template("entries.html", session, query=urlencode(self._show.filled(asked)), **said)

    def _sample(self, session: Session, _asked: Mapping[str, str]) -> str:
        return self._template("sample.html", session, ones=self._show.sample(session))

    def _keys(self) -> set[str]:
        return {one.key for one in self._desk.lines()}

    def _session(self, request: Request) -> Session | None:
        """Who asks, as tenant.yaml lets them now; None without a session, and when the stage is over."""
        name = request.cookies.get(self._cookie, "")
        found = self._door.admit(name)
        if found is None or self._desk.over():
            return None
        try:
            found.role = min(found.role, admitted(self._settings, self._deployment.label, found.person))
        except NotAdmitted:
            self._door.leave(name)
            return None
        return found

    async def _shown(self, request: Request, make: Callable[[Session, Mapping[str, str]], str]) -> Response:
        session = self._session(request)
        if session is None:
            return self._closed(request)
        return HTMLResponse(await run_in_threadpool(make, session, dict(request.query_params)))

    def _closed(self, request: Request, *, forget: bool = True) -> Response:
        """Nothing of what was shown. Who followed a link of another page may go on with their session."""
        brought, path = self._cookie in request.cookies, request.url.path
        query = f"?{request.url.query}" if request.url.query else ""
        go_on = path + query if path in PAGES and not brought else ""
        page = TEMPLATES.get_template("closed.html")
        said = page.render(label=self._deployment.label, go_on=go_on, ended=self._desk.over())
        response = HTMLResponse(said, 403)
        if forget and brought:  # another site's link comes without it: its session goes on
            response.delete_cookie(self._cookie)
        return response

    def _template(self, name: str, session: Session, **values: object) -> str:
        return TEMPLATES.get_template(name).render(
            label=self._deployment.label,
            staged=self._desk.staged,
            session=session,
            texts=self._show.texts,
            time=self._show.time,
            idle=int(IDLE),
            may_mark=session.role >= Role.REVIEWER,
            **values,
        )


def _failed(_request: Request, error: Exception) -> Response:
    """Where it happened, and nothing of what an exception says: it may quote values."""
    line = f"internal_error: {type(error).__name__} at {place_of(error.__traceback__)}; report this line"
    return PlainTextResponse(line, 500, headers=HEADERS)


def _back(asked: str) -> str:
    """Where the form came from, on this page only."""
    known = asked.startswith(PAGES[1:]) or asked == "/"
    return asked if known and "\n" not in asked and not asked.startswith("//") else "/writes"
