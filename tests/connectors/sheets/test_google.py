"""How Google is spoken to: what its refusals mean, how long it is left alone, and that nothing is quoted."""

import time
import traceback
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread

import pytest

from connectors.errors import ConnectorError, Rejected, Transient, Unauthorized, Unknown
from connectors.http import Answer, Patience
from connectors.sandbox.faults import Fault
from connectors.sandbox.proxy import Proxy
from connectors.sandbox.sheets import SheetsServer
from connectors.sheets import Sheets, SheetsCredentials
from connectors.sheets.credentials import GOOGLE, PER_SECOND
from connectors.sheets.google import trouble_of
from tests.connectors.every import MARK
from tests.connectors.sheets.rows import PATIENTS, items_of, numbered, upsert

QUICK = Patience(first_wait=0.01, back_off=0.1, longest_wait=1.0, answer=2.0, connect=1.0)
MINUTE = 60.0
QUICK_WAIT = timedelta(seconds=1)


def sheets(server: SheetsServer, url: str = "", patience: Patience = QUICK) -> Sheets:
    made = SheetsCredentials.model_validate({**server.values, "url": url or server.url})
    return Sheets(made.model_copy(update={"patience": patience}), [PATIENTS])


def told(error: BaseException) -> str:
    return "".join(traceback.format_exception(error))


@pytest.mark.parametrize(
    ("status", "body", "kind", "code"),
    [
        (429, '{"error": {"status": "RESOURCE_EXHAUSTED"}}', Transient, "rate_limited"),
        (403, '{"error": {"errors": [{"reason": "userRateLimitExceeded"}]}}', Transient, "rate_limited"),
        (403, '{"error": {"status": "PERMISSION_DENIED"}}', Unauthorized, "unauthorized"),
        (403, '{"error": {"details": [{"reason": "SERVICE_DISABLED"}]}}', Unauthorized, "service_disabled"),
        (403, "<html>", Unauthorized, "unauthorized"),
        (401, "", Unauthorized, "unauthorized"),
        (404, "", Unauthorized, "unauthorized"),
        (400, '{"error": {"message": "Ana"}}', Rejected, "http_400"),
        (409, "", Rejected, "http_409"),
        (302, "", Rejected, "http_302"),
        (500, "", Unknown, "http_500"),
        (503, "", Unknown, "http_503"),
        (408, "", Unknown, "http_408"),
    ],
)
def test_what_a_status_means(status: int, body: str, kind: type[ConnectorError], code: str) -> None:
    trouble = trouble_of(Answer(status, {}, body.encode()), QUICK_WAIT)

    assert type(trouble) is kind
    assert trouble.code == code
    assert "Ana" not in str(trouble)
    assert trouble_of(Answer(200, {}, b""), QUICK_WAIT) is None


def test_a_refusal_quotes_nothing_of_what_was_sent(server: SheetsServer) -> None:
    with closing(sheets(server)) as connector:
        write = connector.writes()["upsert_patients"]
        upsert(write, *numbered(1))
        server.forbidden = MARK
        assert upsert(write, ("1", {"name": MARK})) == ["rejected http_400"]
        server.forbidden = "gridRange"
        assert write.present is not None
        with pytest.raises(Rejected) as refused:
            write.present(items_of(("1", {"name": MARK})))

    assert refused.value.__context__ is None
    assert not any(word in told(refused.value) for word in (MARK, "Invalid value"))


def test_the_quota_is_waited_for_and_no_write_is_repeated(server: SheetsServer) -> None:
    with closing(sheets(server)) as connector:
        write = connector.writes()["upsert_patients"]
        upsert(write, *numbered(3))
        server.office.quota = 0
        began = time.monotonic()
        with pytest.raises(Transient) as limited:
            upsert(write, *numbered(3, 1))

        assert limited.value.code == "rate_limited"
        assert limited.value.wait is not None
        assert 0.3 < time.monotonic() - began < 5  # four attempts, silence in between
        server.office.quota = None
        assert upsert(write, *numbered(3, 1)) == ["done"] * 3


def test_silence_is_kept_by_all_connectors_of_an_account(server: SheetsServer) -> None:
    patience = QUICK.model_copy(update={"attempts": 1, "back_off": 0.6})
    with (
        Proxy(server.url) as proxy,
        closing(sheets(server, proxy.url, patience)) as one,
        closing(sheets(server, proxy.url, patience)) as other,
    ):
        upsert(one.writes()["upsert_patients"], *numbered(1))
        proxy.faults(Fault(trouble="429", path=":getByDataFilter"))
        with pytest.raises(Transient):
            upsert(one.writes()["upsert_patients"], *numbered(1, 1))
        began = time.monotonic()
        upsert(other.writes()["upsert_patients"], *numbered(1, 1))

    assert time.monotonic() - began > 0.5


def test_google_itself_is_asked_less_than_once_a_second(server: SheetsServer) -> None:
    google = SheetsCredentials.model_validate({**server.values, "url": GOOGLE})
    local = SheetsCredentials.model_validate(server.values)

    assert google.rate == PER_SECOND
    assert PER_SECOND * MINUTE < 60
    assert local.rate is None
    assert (google.drive, google.tokens) == ("https://www.googleapis.com", "https://oauth2.googleapis.com")
    assert (local.drive, local.tokens) == (server.url, server.url)


def test_a_revoked_key_is_the_tenants_matter(server: SheetsServer) -> None:
    with closing(sheets(server)) as connector:
        server.office.revoke()
        with pytest.raises(Unauthorized) as refused:
            connector.check()

    assert refused.value.code == "unauthorized"
    assert "stand-in.iam" not in told(refused.value)


def test_switched_off_apis_are_named(server: SheetsServer) -> None:
    server.office.enabled = False
    with (
        closing(sheets(server)) as connector,
        pytest.raises(Unauthorized, match="switch on the Google Sheets"),
    ):
        connector.check()


@pytest.mark.parametrize("trouble", ["500", "reset", "html", "half", "429"])
def test_a_read_is_tried_again(server: SheetsServer, trouble: str) -> None:
    with Proxy(server.url) as proxy, closing(sheets(server, proxy.url)) as connector:
        write = connector.writes()["upsert_patients"]
        upsert(write, *numbered(2))
        for path in ("/permissions", ":getByDataFilter"):
            proxy.faults(Fault.model_validate({"trouble": trouble, "path": path}))
            with closing(sheets(server, proxy.url)) as another:
                present = another.writes()["upsert_patients"].present
                assert present is not None
                assert present(items_of(("p00001", {"name": ""}))) == {"k0": {"name": "Name 0"}}


@pytest.mark.parametrize("path", [":batchUpdate", "values:batchUpdateByDataFilter"])
def test_a_write_is_sent_once(server: SheetsServer, path: str) -> None:
    with Proxy(server.url) as proxy, closing(sheets(server, proxy.url)) as connector:
        write = connector.writes()["upsert_patients"]
        upsert(write, *numbered(2))
        proxy.faults(Fault(trouble="503", path=path, times=None))
        rows = numbered(2, 1) if "values" in path else numbered(4)[2:]
        with pytest.raises(Unknown):
            upsert(write, *rows)

        assert proxy.count(path=path) == 1


def test_what_was_applied_and_what_is_in_doubt_are_told_apart(server: SheetsServer) -> None:
    """New rows are added in one request, known rows written in the next one."""
    with Proxy(server.url) as proxy, closing(sheets(server, proxy.url)) as connector:
        write = connector.writes()["upsert_patients"]
        upsert(write, *numbered(2))
        proxy.faults(Fault(trouble="reset_applied", path="values:"))
        assert upsert(write, *numbered(4, 1)) == ["unknown cut_off"] * 2 + ["done"] * 2
        proxy.faults(Fault(trouble="429", path="values:"))
        assert upsert(write, *numbered(6, 2)[3:]) == ["transient rate_limited"] + ["done"] * 2


def test_a_request_that_was_thought_lost_and_comes_late_adds_no_row(server: SheetsServer) -> None:
    """The first attempt's rows arrive after the second attempt has added them: Google refuses their tags."""
    with Proxy(server.url) as proxy, closing(sheets(server, proxy.url)) as connector:
        write = connector.writes()["upsert_patients"]
        upsert(write, *numbered(1))
        late: list[list[str]] = []
        with closing(sheets(server)) as other:
            again = other.writes()["upsert_patients"]
            proxy.before(1, lambda: late.append(upsert(again, *numbered(3))), path=":batchUpdate")
            outcomes = upsert(write, *numbered(3))

    assert late == [["done"] * 3]
    assert outcomes == ["done"] * 3
    keys = [row["patient_id"] for row in server.people.records("patients")]
    assert sorted(map(str, keys)) == ["p00000", "p00001", "p00002"]


@contextmanager
def elsewhere(act: Callable[[BaseHTTPRequestHandler], None]) -> Iterator[str]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            act(self)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002  # the standard library's name
            pass

        do_POST = do_GET  # noqa: N815

    server = HTTPServer(("127.0.0.1", 0), Handler)
    Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
    yield f"http://127.0.0.1:{server.server_address[1]}"
    server.shutdown()
    server.server_close()


def test_a_redirect_is_not_followed(server: SheetsServer) -> None:
    def away(exchange: BaseHTTPRequestHandler) -> None:
        exchange.rfile.read(int(exchange.headers.get("Content-Length") or 0))
        given = b'{"access_token": "x", "expires_in": 3600}' if exchange.path == "/token" else b""
        exchange.send_response(200 if given else 307)
        exchange.send_header("Location", f"{server.url}{exchange.path}")
        exchange.send_header("Content-Length", str(len(given)))
        exchange.end_headers()
        exchange.wfile.write(given)

    refused = pytest.raises(Rejected, match="307")
    with elsewhere(away) as url, closing(sheets(server, url)) as connector, refused:
        connector.check()
    assert sum(server.counted.values()) == 0


def test_nobody_there_is_nothing_applied(server: SheetsServer) -> None:
    with closing(sheets(server, "http://127.0.0.1:9")) as connector, pytest.raises(Transient) as error:
        connector.check()

    assert error.value.code == "unreachable"
