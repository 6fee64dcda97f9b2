"""The catalogue: which fields a contact may have, under HubSpot's own names.

HubSpot's own properties are listed with their kind; any other name is a property of the portal's, whose
type is known when it is read. An entry's fields have no lists.
"""

import re
from collections.abc import Iterator, Mapping
from functools import cache
from typing import Final, Literal

from connectors.entry import Category, EntryField

Type = Literal["str", "int", "float", "bool", "date", "datetime", "json"]

_NAME: Final = re.compile(r"[a-z][a-z0-9_]{0,99}")

_OWN: Final[Mapping[Category, str]] = {
    Category.STATUS: (
        "hs_object_id createdate lastmodifieddate hs_merged_object_ids lifecyclestage hs_lead_status "
        "hubspot_owner_id hs_createdate hs_lastmodifieddate healthie_id"
    ),
    Category.IDENTITY: "firstname lastname salutation date_of_birth gender hs_language jobtitle company",
    Category.CONTACT: "email hs_additional_emails phone mobilephone fax website",
    Category.ADDRESS: "address city state zip country hs_country_region_code hs_state_code hs_timezone",
    Category.FREE_TEXT: "message hs_content_membership_notes",
}
_TYPES: Final[Mapping[str, Type]] = {
    "createdate": "datetime",
    "lastmodifieddate": "datetime",
    "hs_createdate": "datetime",
    "hs_lastmodifieddate": "datetime",
}


class Catalogue(Mapping[str, EntryField]):
    """{name: field}. Iterates over HubSpot's own; any other property's name is there too."""

    def __init__(self) -> None:
        self._own = {
            name: EntryField(name, _TYPES.get(name, "str"), category)
            for category, names in _OWN.items()
            for name in names.split()
        }

    def __getitem__(self, path: str) -> EntryField:
        own = self._own.get(path)
        if own is not None:
            return own
        if not _NAME.fullmatch(path):
            raise KeyError(path)
        return EntryField(path, "json", Category.CUSTOM)

    def __iter__(self) -> Iterator[str]:
        return iter(self._own)

    def __len__(self) -> int:
        return len(self._own)


@cache
def catalogue() -> Catalogue:
    """All fields of a contact."""
    return Catalogue()
