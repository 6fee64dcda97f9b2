"""The probe: a target with one write of each delivery class, and faults on demand. Loopback only.

with ProbeServer() as server:
    server.set_faults(Faults(rate=0.15, seed=7))
    probe = Probe(ProbeCredentials(url=server.url))
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from functools import partial
from typing import Annotated, ClassVar, TypeVar

import httpx
from pydantic import AfterValidator, AwareDatetime, Field, JsonValue, SecretStr, TypeAdapter, ValidationError

from connectors.address import Endpoint
from connectors.base import Account, Connector, Settings
from connectors.errors import ConnectorError, Denied, Transient, Unauthorized, Unknown
from connectors.holding import OWN, Holding
from connectors.operation import ArgumentModel, Arguments, Delivery, Item, Outcome, Write
from connectors.sandbox.probe.faults import Faults, Scripted
from connectors.sandbox.probe.process import ProbeServer
from connectors.sandbox.probe.state import Effect, Result
from connectors.sent import Sent
from connectors.values import code_of, storable

__all__ = ["Effect", "Faults", "Probe", "ProbeCredentials", "ProbeServer", "Scripted"]

Shape = TypeVar("Shape")
READS = ("/account", "/find/", "/read/")
LOOPBACK = ("127.0.0.1", "localhost", "::1")
RESULTS = TypeAdapter(list[Result])
FOUND = TypeAdapter(dict[str, str | None])
CONTACTS = TypeAdapter(dict[str, dict[str, JsonValue] | None])


Text = Annotated[str, AfterValidator(storable)]


class Charge(ArgumentModel):
    amount: Annotated[int, Field(ge=1)]  # cents
    currency: Annotated[str, Field(pattern=r"^[A-Z]{3}$")] = "USD"
    memo: Text | None = None


class Contact(ArgumentModel):
    first_name: Text | None = None
    last_name: Text | None = None
    email: Text | None = None
    phone: Text | None = None
    active: bool | None = None


class Order(ArgumentModel):
    product: Text
    quantity: Annotated[int, Field(ge=1)] = 1


class Event(ArgumentModel):
    name: Text
    at: AwareDatetime | None = None


ARGUMENTS: Mapping[str, type[ArgumentModel]] = {
    "keyed_charge": Charge,
    "upsert_contact": Contact,
    "create_order": Order,
    "send_event": Event,
}


class ProbeCredentials(Settings):
    url: Endpoint
    token: SecretStr = SecretStr("probe-token")
    timeout: float = 2.0  # seconds
    horizon: float = 30.0  # seconds until a look for an order is to be believed
    window: float = 86_400.0  # seconds that the target honours an idempotency key


class Probe(Connector):
    """Speaks to a ProbeServer. Refuses every host that is not this machine.

    read_only: a request that is no read is refused before it is sent.
    """

    name: ClassVar[str] = "probe"
    holds: ClassVar[Holding] = OWN

    def __init__(self, credentials: ProbeCredentials, *, batch: int = 20, read_only: bool = False) -> None:
        url = httpx.URL(credentials.url)
        if url.scheme != "http" or url.host not in LOOPBACK or url.userinfo:
            raise Denied("not_loopback", "probe: only http:// on this machine is reached")
        self._client = httpx.Client(
            base_url=url, timeout=credentials.timeout, trust_env=False, follow_redirects=False
        )
        self._token = credentials.token
        self._left = Sent()
        self._batch, self._read_only = batch, read_only
        self._horizon, self._window = credentials.horizon, credentials.window

    def check(self) -> Account:
        """One harmless read that names the account. Raises Unauthorized or Transient."""
        try:
            self._call("GET", "/account")
        except Unknown as error:
            raise Transient(error.code, str(error)) from error
        return Account(system=self.name, identity="probe")

    def writes(self) -> Mapping[str, Write]:
        """One of each delivery class."""
        made = (self._charge(), self._contact(), self._order(), self._event())
        return {write.name: replace(write, refuses=partial(self._refuses, write.name)) for write in made}

    def _charge(self) -> Write:
        return Write(
            "keyed_charge",
            "Charge the patient's card. It cannot be taken back.",
            Charge,
            Delivery.KEYED,
            partial(self._send, "keyed_charge"),
            lambda patient, arguments: f"charge:{patient}",
            batch=self._batch,
            look=partial(self._find, "keyed_charge"),
            window=self._window,
            horizon=self._horizon,
            money=True,
            free_text=frozenset({"memo"}),
        )

    def _contact(self) -> Write:
        return Write(
            "upsert_contact",
            "Insert the patient's contact, or update the given fields of it. Idempotent.",
            Contact,
            Delivery.UPSERT,
            partial(self._send, "upsert_contact"),
            lambda patient, arguments: f"contact:{patient}",
            batch=self._batch,
            present=self._present,
        )

    def _order(self) -> Write:
        return Write(
            "create_order",
            "Order a product for the patient. Not for changing an order.",
            Order,
            Delivery.SEARCHABLE,
            partial(self._send, "create_order"),
            lambda patient, arguments: f"order:{patient}:{arguments.get('product')}",
            batch=self._batch,
            look=partial(self._find, "create_order"),
            horizon=self._horizon,
        )

    def _event(self) -> Write:
        return Write(
            "send_event",
            "Record an event of the patient's. It cannot be withdrawn.",
            Event,
            Delivery.BLIND,
            partial(self._send, "send_event"),
            lambda patient, arguments: f"event:{patient}:{arguments.get('name')}",
            batch=self._batch,
        )

    @property
    def requests(self) -> int:
        """How many requests have left, retries included."""
        return self._left.number

    def close(self) -> None:
        self._client.close()

    def _refuses(self, operation: str, items: Sequence[Item]) -> list[Outcome]:
        return [
            Outcome(item.key, "rejected", code)
            for item in items
            if (code := self._objection(operation, item))
        ]

    def _send(self, operation: str, items: Sequence[Item]) -> list[Outcome]:
        outcomes = self._refuses(operation, items)
        refused = {outcome.key for outcome in outcomes}
        sound = [item for item in items if item.key not in refused]
        return outcomes + self._sent(operation, sound) if sound else outcomes

    def _objection(self, operation: str, item: Item) -> str | None:
        try:
            ARGUMENTS[operation].model_validate(dict(item.arguments))
        except ValidationError as error:
            return code_of(error)
        return None

    def _sent(self, operation: str, items: Sequence[Item]) -> list[Outcome]:
        body: list[JsonValue] = [
            {"key": item.key, "patient": item.patient, "arguments": dict(item.arguments)} for item in items
        ]
        answer = self._call("POST", f"/write/{operation}", body)
        if answer.is_client_error:
            return [Outcome(item.key, "rejected", f"http_{answer.status_code}") for item in items]
        results = {result.key: result for result in _parsed(RESULTS, answer)}
        return [_outcome(item.key, results.get(item.key)) for item in items]

    def _find(self, operation: str, items: Sequence[Item]) -> dict[str, str | None]:
        answer = self._call("POST", f"/find/{operation}", [item.key for item in items])
        return _parsed(FOUND, answer)

    def _present(self, items: Sequence[Item]) -> dict[str, Arguments | None]:
        answer = self._call("POST", "/read/upsert_contact", [item.patient for item in items])
        contacts = _parsed(CONTACTS, answer)
        held: dict[str, Arguments | None] = {}
        for item in items:
            contact = contacts[item.patient]
            held[item.key] = None if contact is None else {name: contact.get(name) for name in item.arguments}
        return held

    def _call(self, method: str, path: str, body: JsonValue = None) -> httpx.Response:
        """The answer, if it settles anything: 2xx, or a 4xx that is about what was sent."""
        answer = self._exchange(method, path, body)
        if answer.status_code == 429:
            after = answer.headers.get("Retry-After", "")
            wait = timedelta(seconds=int(after)) if after.isdecimal() else None
            raise Transient("rate_limited", "probe: 429, nothing was applied", wait=wait)
        if answer.status_code in (401, 403):
            raise Unauthorized("unauthorized", "probe: the token is refused")
        if not (answer.is_success or answer.is_client_error):
            raise Unknown(
                f"http_{answer.status_code}", f"probe: {answer.status_code}; look before sending again"
            )
        return answer

    def _exchange(self, method: str, path: str, body: JsonValue) -> httpx.Response:
        if self._read_only and not path.startswith(READS):
            raise Denied("read_only", "probe: this connection only reads")
        authorization = {"Authorization": f"Bearer {self._token.get_secret_value()}"}
        lost: ConnectorError = Unknown(
            "no_answer", "probe: the answer did not come; look before sending again"
        )
        self._left.one()
        try:
            return self._client.request(method, path, json=body, headers=authorization)
        except (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout):
            lost = Transient("unreachable", "probe: no connection")
        except httpx.TransportError:
            pass
        raise lost  # outside of the `except`: that error would carry the request


def _parsed(shape: TypeAdapter[Shape], answer: httpx.Response) -> Shape:
    try:
        return shape.validate_json(answer.content)
    except ValidationError:
        pass
    # outside of the `except`: that error would carry the answer
    raise Unknown("bad_answer", "probe: the answer is not what was agreed; look before sending again")


def _outcome(key: str, result: Result | None) -> Outcome:
    if result is None:
        return Outcome(key, "unknown", "no_result")
    return Outcome(key, "done" if result.ok else "rejected", result.code, result.reference)
