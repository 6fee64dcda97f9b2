"""The dated API: `hubspot-api-client` 12 knows the undated paths alone, which are being switched off.

v4 (associations) ends on 2027-03-30 and v3 in September 2027; a dated version lives for 18 months. Where a
request goes is decided here and nowhere else.
"""

import re
from typing import Final

CRM: Final = "2026-09"
ACCOUNT: Final = "2026-03"  # of account-info there is no later one

_MOVED: Final = tuple(
    (re.compile(old), new)
    for old, new in (
        (r"^/crm/v3/(objects|properties|lists)(?=/|$)", rf"/crm/\1/{CRM}"),
        (r"^/crm/v4/associations(?=/)", f"/crm/associations/{CRM}"),
        (r"^/account-info/v3(?=/)", f"/account-info/{ACCOUNT}"),
    )
)


def dated(path: str) -> str:
    """The path in the dated API. Raises ValueError for one that has no place in it."""
    for old, new in _MOVED:
        if old.match(path):
            return old.sub(new, path)
    raise ValueError("hubspot: this path is not of the dated API")
