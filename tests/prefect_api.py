"""Prefect's API as tests ask it: patiently, since a busy server answers 503 and expects to be asked again.

Prefect's own client does the same, and Ferry asks through that.
"""

import time

import httpx

AGAIN = 40  # times
PAUSE = 0.25  # seconds


class _Patient(httpx.HTTPTransport):
    def handle_request(self, request: httpx.Request) -> httpx.Response:
        for _ in range(AGAIN):
            answer = super().handle_request(request)
            if answer.status_code != httpx.codes.SERVICE_UNAVAILABLE:
                break
            answer.close()
            time.sleep(PAUSE)
        return answer


def asking(url: str = "") -> httpx.Client:
    """A client of a server's API."""
    return httpx.Client(base_url=url, transport=_Patient(), timeout=60.0, trust_env=False)


def ask(method: str, url: str, json: object = None) -> httpx.Response:
    """One answer, whole."""
    with asking() as client:
        return client.request(method, url, json=json)
