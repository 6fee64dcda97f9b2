"""Which columns and fields a sentence speaks of, by their names and by what people call them."""

import re
from collections.abc import Iterable
from functools import lru_cache

SYNONYMS = {
    "email": ("e-mail", "email", "mail address"),
    "phone": ("phone", "telephone", "mobile", "cell"),
    "phone_number": ("phone", "telephone", "mobile", "cell"),
    "dob": ("birth", "born", "birthday", "age", "years old", "younger", "older", "minor", "adult"),
    "zip": ("zip", "postal code", "postcode"),
    "active": ("active", "archived", "inactive"),
    "archived_at": ("archived",),
    "created_at": ("created", "registered", "joined", "signed up", "since", "new"),
    "full_name": ("name",),
    "first_name": ("name",),
    "last_name": ("name",),
    "legal_name": ("name",),
    "next_appt_date": ("appointment", "visit", "coming up", "scheduled", "booked"),
    "appointments": ("appointment", "visit", "seen", "occurred", "no-show", "came", "booked", "scheduled"),
    "pm_status": ("occurred", "cancelled", "canceled", "no-show"),
    "policies": (
        "policy",
        "policies",
        "insurance",
        "insured",
        "uninsured",
        "payer",
        "member number",
        "cover",
    ),
    "requested_payments": ("invoice", "balance", "owe", "due", "bill", "paid", "unpaid"),
    "billing_items": ("payment", "paid", "refund", "charge"),
    "money_owed": ("owe", "balance", "due"),
    "credit_balance": ("credit", "balance"),
    "active_tags": ("tag",),
    "user_group": ("group",),
    "location": ("address", "street", "lives", "location", "country"),
    "locations": ("address", "street", "lives", "location", "country"),
    "dietitian": ("provider", "dietitian", "therapist", "clinician", "doctor", "care team"),
    "other_providers": ("provider", "therapist", "clinician", "doctor", "care team"),
    "tasks": ("task", "to-do"),
    "client_source": ("referr", "heard of", "source", "channel", "came from"),
    "referrals": ("referr",),
    "metadata": ("custom",),
    "cms1500s": ("claim",),
    "has_completed_intake_forms": ("intake", "form"),
    "last_sign_in_at": ("signed in", "logged in", "sign-in", "login", "portal"),
    "accessed_account": ("account", "portal", "login"),
    "user_package_selections": ("package", "membership", "bought", "plan"),
    "gender_identity": ("gender",),
}
_UNITS = frozenset({"id", "cents", "minor", "at", "on", "num", "code"})
_TOKENS = re.compile(r"[A-Z]?[a-z]+|[A-Z]+|\d+")


@lru_cache(maxsize=2048)
def phrases(name: str) -> tuple[str, ...]:
    """How a column or field is called in a sentence: "open balance" of open_balance_cents."""
    words = [word.lower() for word in _TOKENS.findall(name)]
    while len(words) > 1 and words[-1] in _UNITS:
        words.pop()
    found = [name.lower(), " ".join(words), *SYNONYMS.get(name, ())]
    return tuple(dict.fromkeys(phrase for phrase in found if len(phrase) > 2))


@lru_cache(maxsize=2048)
def of_path(path: str) -> tuple[str, ...]:
    """The same for a path of the entry: what any name on the way to it is called."""
    names = path.split(".")
    words = [word for name in names for word in _TOKENS.findall(name.lower()) if len(word) > 3]
    called = [*words, *(phrase for name in names for phrase in phrases(name))]
    return tuple(dict.fromkeys(called))


@lru_cache(maxsize=4096)
def _pattern(phrase: str) -> re.Pattern[str]:
    """The phrase, with an ending of its last word: policies, owed, referral."""
    plain = re.escape(phrase)
    many = f"|{re.escape(phrase[:-1])}ie[sd]" if phrase.endswith("y") else ""
    return re.compile(
        rf"(?<![a-z0-9_])(?:{plain}(?:e?s|e?d|ing|als?|rals?|red|s?['’]s?)?{many})(?![a-z0-9_])"
    )


def speaks_of(text: str, called: Iterable[str]) -> bool:
    """Whether a text in lower case has one of the phrases."""
    return any(_pattern(phrase).search(text) for phrase in called)


def mention(text: str, called: Iterable[str]) -> tuple[int, int] | None:
    """Where the longest of the phrases stands last."""
    for phrase in sorted(called, key=len, reverse=True):
        found = [one.span() for one in _pattern(phrase).finditer(text)]
        if found:
            return found[-1]
    return None
