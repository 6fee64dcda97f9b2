"""Prefect's API as tests ask it: patiently, since a busy server answers 503 and expects to be asked again.

Prefect's own client does the same, and Ferry asks through that. A busy server was also seen to leave a
request unanswered for a minute and to answer the next one; what can be asked twice is.
"""

import time

import httpx
from pydantic import JsonValue

AGAIN = 40  # times
PAUSE = 0.25  # seconds
UNANSWERED = 3  # times, each as long as the client waits


class _Patient(httpx.HTTPTransport):
    def handle_request(self, request: httpx.Request) -> httpx.Response:
        for _ in range(AGAIN):
            answer = self._answered(request)
            if answer.status_code != httpx.codes.SERVICE_UNAVAILABLE:
                break
            answer.close()
            time.sleep(PAUSE)
        return answer

    def _answered(self, request: httpx.Request) -> httpx.Response:
        """Asked again when no answer comes, if that changes nothing more than asking once."""
        for _ in range(UNANSWERED if _repeatable(request) else 0):
            try:
                return super().handle_request(request)
            except httpx.ReadTimeout:
                continue
        return super().handle_request(request)


def _repeatable(request: httpx.Request) -> bool:
    return request.method in ("GET", "DELETE") or request.url.path.endswith("/filter")


def asking(url: str = "") -> httpx.Client:
    """A client of a server's API."""
    return httpx.Client(base_url=url, transport=_Patient(), timeout=60.0, trust_env=False)


def ask(method: str, url: str, json: object = None) -> httpx.Response:
    """One answer, whole."""
    with asking() as client:
        return client.request(method, url, json=json)


def last_begun(url: str) -> dict[str, JsonValue]:
    """The flow run that began last. Another test's schedule may have left runs that are yet to come."""
    begun = {"state": {"type": {"not_any_": ["SCHEDULED", "PENDING"]}}}
    asked = {"sort": "START_TIME_DESC", "limit": 1, "flow_runs": begun}
    answer: list[dict[str, JsonValue]] = ask("POST", f"{url}/flow_runs/filter", json=asked).json()
    return answer[0]
