"""Properties: their definitions, and which values each of them takes."""

import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from decimal import Decimal
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel

from connectors.sandbox.hubspot.reply import RefusedError, invalid

TEXT_MAX = 65_536  # characters
UNIQUE_MAX = 10  # unique properties of one object type

Kind = Literal["string", "number", "date", "datetime", "bool", "enumeration", "phone_number", "json"]
Sensitivity = Literal["non_sensitive", "sensitive", "highly_sensitive"]

_NAME = re.compile(r"[a-z][a-z0-9_]{0,99}")
_NUMBER = re.compile(r"[+-]?\d+(\.\d+)?([eE][+-]?\d+)?")
_EMAIL = re.compile(r"[^\s@]+@[^\s@]+\.[^\s@]+")
_EPOCH = re.compile(r"-?\d{1,15}")


class Option(BaseModel):
    model_config = ConfigDict(extra="ignore", alias_generator=to_camel, populate_by_name=True)

    label: str
    value: str
    hidden: bool = False


class Modification(BaseModel):
    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True)

    read_only_value: bool = False
    read_only_definition: bool = False
    archivable: bool = True


class Property(BaseModel):
    """One property of an object type, as HubSpot describes it."""

    model_config = ConfigDict(extra="ignore", alias_generator=to_camel, populate_by_name=True)

    name: str
    label: str
    type: Kind
    field_type: str
    group_name: str
    description: str = ""
    options: list[Option] = Field(default_factory=list[Option])
    has_unique_value: bool = False
    external_options: bool = False
    data_sensitivity: Sensitivity = "non_sensitive"
    sensitive_data_categories: list[str] = Field(default_factory=list[str])
    hubspot_defined: bool = False
    archived: bool = False
    modification_metadata: Modification = Modification()

    def check(self) -> None:
        """Raises if HubSpot would not make it so."""
        if not _NAME.fullmatch(self.name):
            raise invalid("Property name must be lower case letters, digits and _")
        if self.has_unique_value and self.type not in ("string", "number"):
            raise invalid("This type of property cannot be unique")
        if self.type == "bool":
            self.options = self.options or [
                Option(label="Yes", value="true"),
                Option(label="No", value="false"),
            ]

    def stored(self, given: str) -> str | None:
        """The value as it is kept; None clears it."""
        if self.modification_metadata.read_only_value:
            raise self._refused("READ_ONLY_VALUE")
        if given == "":
            return None
        if self.name == "email":
            return self._email(given)
        if self.type == "number":
            return self._number(given)
        if self.type in ("date", "datetime"):
            return self._moment(given)
        if self.type in ("enumeration", "bool"):
            if given not in [option.value for option in self.options] and not self.external_options:
                raise self._refused("INVALID_OPTION")
            return given
        if len(given) > TEXT_MAX:
            raise self._refused("INVALID_STRING_TOO_LONG")
        return given

    def _email(self, given: str) -> str:
        if not _EMAIL.fullmatch(given):
            raise self._refused("INVALID_EMAIL")
        return given.lower()

    def _number(self, given: str) -> str:
        if not _NUMBER.fullmatch(given):
            raise self._refused("INVALID_INTEGER")
        text = format(Decimal(given), "f")
        text = text.rstrip("0").rstrip(".") if "." in text else text
        return "0" if text == "-0" else text

    def _moment(self, given: str) -> str:
        try:
            moment = (
                datetime.fromtimestamp(int(given) / 1000, UTC)
                if _EPOCH.fullmatch(given)
                else datetime.fromisoformat(given)
            )
        except (ValueError, OverflowError):
            raise self._refused("INVALID_DATE") from None
        moment = moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
        if self.type == "datetime":
            return spelled(int(moment.timestamp() * 1000))
        if (moment.hour, moment.minute, moment.second, moment.microsecond) != (0, 0, 0, 0):
            raise self._refused("INVALID_DATE")  # a date must be midnight UTC
        return moment.date().isoformat()

    def _refused(self, code: str) -> RefusedError:
        detail = {"message": f"{self.name} is not valid", "code": code, "in": self.name}
        context = {"propertyName": [self.name]}
        return RefusedError(
            400, "VALIDATION_ERROR", "Property values were not valid", errors=[detail], context=context
        )


def spelled(milliseconds: int) -> str:
    """An instant as HubSpot writes it: milliseconds, and none where they are zero."""
    moment = datetime.fromtimestamp(milliseconds // 1000, UTC).replace(tzinfo=None)
    rest = milliseconds % 1000
    return f"{moment.isoformat()}{f'.{rest:03}'.rstrip('0') if rest else ''}Z"


STAGES = ("subscriber", "lead", "marketingqualifiedlead", "salesqualifiedlead", "opportunity", "customer")
_READ_ONLY: Mapping[str, Kind] = {
    "hs_object_id": "number",
    "createdate": "datetime",
    "hs_merged_object_ids": "string",
}
_TEXTS = {
    "contacts": (
        "email", "firstname", "lastname", "address", "city", "state", "zip", "country", "company", "jobtitle",
        "date_of_birth", "gender", "hs_language",
    ),
    "companies": ("name", "domain", "address", "city", "state", "zip", "country", "industry"),
}  # fmt: skip
_PHONES = {"contacts": ("phone", "mobilephone"), "companies": ("phone",)}
_CHOICES: Mapping[str, Mapping[str, tuple[str, ...]]] = {
    "contacts": {
        "lifecyclestage": STAGES,
        "hs_lead_status": ("NEW", "OPEN", "IN_PROGRESS", "CONNECTED", "UNQUALIFIED"),
    },
    "companies": {"lifecyclestage": STAGES},
}


def defaults(object_type: str) -> Iterator[Property]:
    """The properties that every portal has, as far as anybody here needs them."""
    contacts = object_type == "contacts"
    group = "contactinformation" if contacts else "companyinformation"
    for name, kind in _READ_ONLY.items():
        yield _own(name, kind, group, read_only=True, unique=name == "hs_object_id")
    yield _own("lastmodifieddate" if contacts else "hs_lastmodifieddate", "datetime", group, read_only=True)
    if contacts:
        yield _own("hs_additional_emails", "string", group, read_only=True)
    for name in _TEXTS[object_type]:
        yield _own(name, "string", group)
    for name in _PHONES[object_type]:
        yield _own(name, "string", group, field="phonenumber")
    for name, options in _CHOICES[object_type].items():
        yield _own(name, "enumeration", group, field="radio", options=options)


def _own(
    name: str,
    kind: Kind,
    group: str,
    *,
    field: str = "text",
    options: tuple[str, ...] = (),
    read_only: bool = False,
    unique: bool = False,
) -> Property:
    return Property(
        name=name,
        label=name.replace("_", " ").capitalize(),
        type=kind,
        field_type=field,
        group_name=group,
        options=[Option(label=value.capitalize(), value=value) for value in options],
        has_unique_value=unique,
        hubspot_defined=True,
        modification_metadata=Modification(
            read_only_value=read_only, read_only_definition=True, archivable=False
        ),
    )
