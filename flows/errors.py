"""Errors that a person meets: one line that says what, where and what to do next; no patient data."""


class Spoken(Exception):
    """An error whose message is made for people and may be shown and stored as it is."""


class ServerUnavailable(Spoken):
    """Prefect's server is not named, does not answer, or does not let us in. One line."""
