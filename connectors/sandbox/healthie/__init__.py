"""A stand-in for Healthie: a real HTTP server on loopback that speaks its GraphQL and misbehaves on demand.

    with StandIn(patients=200, seed=7) as healthie:
        client = HealthieClient(healthie.endpoint, healthie.api_key)
        healthie.edit("User", healthie.ids()[0], first_name="Zoë")
        healthie.fault("reset_applied", root="updateClient")

By hand: `python -m connectors.sandbox.healthie --patients 200 --port 8090`. The first line it prints names
its address and two API keys: one that sees all, and a provider's whose lists are silently shorter.

GraphQL is at POST /graphql. Everything else is under /control/, JSON both ways; `StandIn` has a method
for each. Field names are those of schema.graphql, instants are ISO 8601 with offset.

    POST edit      {"edits": [{"act", "type", "id", "values", "at", "touch"}], "after_requests", "root"}
                   what staff would do, now or once so many more requests came; edits.py says which acts
    POST stamp     {"type", "ids", "at"}: many rows (without ids all) get one `updated_at`
    POST clock     {"now", "frozen"} or {"advance": seconds}; GET clock
    POST faults    {"scripted": [{"trouble", "root", "at_request", "skip", "times", …}], "random": {…}}
                   replaces all faults; faults.py lists the troubles
    POST settings  where Healthie's behaviour is unpublished; settings.py; GET settings
    POST canary    {"patients": n}: patients full of values that stand nowhere else; GET canary lists them
    POST reset     empties the journal
    GET  requests  what arrived: counts by root field, and each request with status and complexity
    GET  effects   what each mutation was asked and what it changed (?root=updateClient)
    GET  notes     every note-bearing or secret `Type.field` that was selected or written, and how often
    GET  rows      ?type=User: ids; &id=…: one stored row; &owner=…&column=user_id: rows of one owner
    GET  unseen    unseen notifications by user and patient; GET mails: mails that went out

What is unpublished at Healthie and settled here by a setting is marked UNVERIFIED in settings.py.
"""

from connectors.sandbox.healthie.edits import Edit
from connectors.sandbox.healthie.faults import Fault, RandomFaults, Trouble
from connectors.sandbox.healthie.settings import RateLimit
from connectors.sandbox.healthie.stand_in import Remote, StandIn, StandInError

__all__ = ["Edit", "Fault", "RandomFaults", "RateLimit", "Remote", "StandIn", "StandInError", "Trouble"]
