"""Many contacts at once: invented, each with an e-mail of its own."""

import random

from connectors.sandbox.hubspot.portal import Portal
from connectors.sandbox.hubspot.store import Record

HOUR = 3_600_000  # milliseconds
FIRST = ("Ana", "Ben", "Chloé", "Dai", "Eli", "Fatma", "Gus", "Hana", "Ivo", "June", "Kai", "Lena")
LAST = ("Adler", "Brook", "Castillo", "Dubois", "Eriksen", "Farah", "Grant", "Hoang", "Ito", "Jones")


def seed(portal: Portal, contacts: int, one_stamp: int) -> None:
    """Add contacts whose stamps lie in the last year; the last `one_stamp` of them have one and the same."""
    store, now = portal.stores["contacts"], portal.now()
    chance = random.Random(contacts)  # noqa: S311  # reproducible, not secret
    common = now - HOUR
    for number in range(contacts):
        id_ = store.next_id
        stamp = common if number >= contacts - one_stamp else now - 2 * HOUR - chance.randrange(8000 * HOUR)
        email = f"contact{id_}@example.com"
        properties = {
            "email": email,
            "firstname": FIRST[number % len(FIRST)],
            "lastname": LAST[number % len(LAST)],
        }
        store.records[id_] = Record(id_, stamp, stamp, properties)
        store.order.append(id_)
        store.unique["email"][email] = id_
        store.next_id += 1
