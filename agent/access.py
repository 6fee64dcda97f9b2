"""How a model is reached, and what asking it may cost."""

from pydantic import SecretStr

from connectors.base import Settings

PROGRAM = "program"
"""Who decides where no model does."""


class Limits(Settings):
    """What one decision may cost, and how many are made at once."""

    requests: int = 6  # model requests, retries after a bad plan included
    tool_calls: int = 8
    tokens: int = 100_000  # in and out, over all requests of the decision
    seconds: float = 120.0
    bad_plans: int = 2  # that may be put right; the next one ends the decision
    at_once: int = 8


class Access(Settings):
    """An endpoint or a Google Cloud project, for the models whose id does not say, and its time-out."""

    base_url: str = ""  # openai-compatible: http://localhost:8080/v1
    api_key: SecretStr = SecretStr("none")
    project: str = ""  # google-cloud
    location: str = ""
    request_timeout: float = 60.0  # seconds for one model request
    answer_tokens: int = 4096  # at most, in one answer
    limits: Limits = Limits()
