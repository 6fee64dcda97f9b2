"""A stand-in for HubSpot's CRM: a real HTTP server on loopback with its rules, limits and odd ways.

    with StandIn() as hubspot:
        known = HubSpotCredentials(url=hubspot.url, access_token=SecretStr(hubspot.token))
        connector = HubSpot(known, tables)
        person = hubspot.create(email="ana@example.com", firstname="Ana")
        hubspot.edit(person, lastname="Adler")

By hand: `python -m connectors.sandbox.hubspot --contacts 200 --stay`. It speaks the dated API alone
(2026-09; account-info 2026-03): the undated paths are switched off. Everything under /control/ is
the portal's staff and the test's; `StandIn` has a method for each.

It has: unique properties and e-mails (additional ones, too), 409 and 207 with objectWriteTraceId, values
checked by their property's type, stages that move forward only, sensitive properties and scopes, a search
that lags and ends at 10,000, archived records, merges, static lists, associations, and the three limits.

UNVERIFIED, as nothing is published: a record that was merged away is found under its old id; a write that
changes nothing moves the stamp; texts are kept with the blanks around them.
"""

from connectors.sandbox.hubspot.stand_in import Remote, StandIn, StandInError

__all__ = ["Remote", "StandIn", "StandInError"]
