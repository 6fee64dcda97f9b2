"""What the probe's system holds: charges, contacts, orders, events, and a log of every effect."""

import json
import random
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from pydantic import BaseModel, ConfigDict, JsonValue

from connectors.sandbox.probe.faults import FaultName, Faults


class Sent(BaseModel):
    """One item as the connector sends it."""

    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True)

    key: str
    patient: str
    arguments: dict[str, JsonValue]


class Result(BaseModel):
    """What became of one item."""

    key: str
    ok: bool
    code: str = ""
    reference: str | None = None


class Effect(BaseModel):
    """Something that was applied: what a checker counts."""

    number: int
    operation: str
    key: str
    patient: str
    reference: str
    arguments: dict[str, JsonValue]


@dataclass
class Charge:
    reference: str
    parameters: str
    at: float


@dataclass
class State:
    """One system. All methods may be called from several threads at once."""

    faults: Faults = field(default_factory=Faults)
    requests: int = 0  # writes since the faults were set
    reads: int = 0  # of what it holds, since it was started
    effects: list[Effect] = field(default_factory=list[Effect])
    charges: dict[str, Charge] = field(default_factory=dict[str, Charge])  # by idempotency key
    charged: dict[str, str] = field(default_factory=dict[str, str])  # our key -> the latest charge
    contacts: dict[str, dict[str, JsonValue]] = field(default_factory=dict[str, dict[str, JsonValue]])
    orders: dict[str, tuple[str, float]] = field(default_factory=dict[str, tuple[str, float]])
    lock: threading.Lock = field(default_factory=threading.Lock)

    def next_fault(self) -> FaultName | None:
        """Counts a write and says what goes wrong with it."""
        with self.lock:
            self.requests += 1
            return self.faults.at(self.requests)

    def set_faults(self, faults: Faults) -> None:
        with self.lock:
            self.faults, self.requests = faults, 0

    def apply(self, operation: str, items: list[Sent], fault: FaultName | None) -> list[Result]:
        """Apply a batch; the results come in no order that means anything."""
        act: Mapping[str, Callable[[Sent], Result]] = {
            "keyed_charge": self._charge,
            "upsert_contact": self._contact,
            "create_order": self._order,
            "send_event": self._event,
        }
        refused = {item.key for item in items} if fault == "all_refused" else set[str]()
        if fault == "one_refused":
            refused = {items[len(items) // 2].key}
        with self.lock:
            results = [
                Result(key=item.key, ok=False, code="refused_on_demand")
                if item.key in refused
                else act[operation](item)
                for item in items
            ]
            random.Random(self.requests).shuffle(results)  # noqa: S311  # reproducible, not secret
        return results

    def find(self, operation: str, keys: list[str]) -> dict[str, str | None]:
        """References by our keys. Orders are found only after the search lag."""
        with self.lock:
            if operation == "keyed_charge":
                return {key: self.charged.get(key) for key in keys}
            ripe = time.monotonic() - self.faults.search_lag
            found = {key: self.orders.get(key) for key in keys}
            return {key: order[0] if order and order[1] <= ripe else None for key, order in found.items()}

    def read_contacts(self, patients: list[str]) -> dict[str, dict[str, JsonValue] | None]:
        with self.lock:
            self.reads += 1
            return {patient: self.contacts.get(patient) for patient in patients}

    def _charge(self, item: Sent) -> Result:
        parameters = json.dumps([item.patient, item.arguments], sort_keys=True)
        known, now = self.charges.get(item.key), time.monotonic()
        if known is not None and now - known.at < self.faults.window:
            if known.parameters != parameters:
                return Result(key=item.key, ok=False, code="idempotency_mismatch")
            return Result(key=item.key, ok=True, reference=known.reference)
        reference = self._log("keyed_charge", item)
        self.charges[item.key] = Charge(reference, parameters, now)
        self.charged[item.key] = reference
        return Result(key=item.key, ok=True, reference=reference)

    def _contact(self, item: Sent) -> Result:
        self._log("upsert_contact", item)
        contact = self.contacts.setdefault(item.patient, {})
        contact.update(item.arguments)
        return Result(key=item.key, ok=True, reference=f"contact_{item.patient}")

    def _order(self, item: Sent) -> Result:
        reference = self._log("create_order", item)
        self.orders[item.key] = (reference, time.monotonic())
        return Result(key=item.key, ok=True, reference=reference)

    def _event(self, item: Sent) -> Result:
        self._log("send_event", item)
        return Result(key=item.key, ok=True)

    def _log(self, operation: str, item: Sent) -> str:
        number = len(self.effects) + 1
        reference = f"{operation}_{number}"
        self.effects.append(
            Effect(
                number=number,
                operation=operation,
                key=item.key,
                patient=item.patient,
                reference=reference,
                arguments=item.arguments,
            )
        )
        return reference
