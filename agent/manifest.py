"""The minimum-necessary manifest: which fields of an entry each sentence needs. Nothing else is read."""

from functools import cached_property

from pydantic import ConfigDict, RootModel, model_validator

from agent.plan import Sentences

FILE = "fields.yaml"


class Manifest(RootModel[dict[str, tuple[str, ...]]]):
    """{"S4": ("first_name", "last_name")}: by sentence, the entry's paths without positions.

    A sentence that needs no field of its own is left out. Reading and fingerprint follow `paths` exactly: a
    sentence that goes takes the fields along that no other needs.
    """

    model_config = ConfigDict(frozen=True, hide_input_in_errors=True)

    @model_validator(mode="after")
    def _something_is_read(self) -> "Manifest":
        if not self.paths:
            raise ValueError("names no field; write for each sentence the fields it needs, as S1: [active]")
        return self

    @cached_property
    def paths(self) -> tuple[str, ...]:
        """Every field that is read, each once, in the order of the sentences."""
        return tuple(dict.fromkeys(path for paths in self.root.values() for path in paths))

    def sentences(self, path: str) -> Sentences:
        """The sentences that need a field."""
        return tuple(sentence for sentence, paths in self.root.items() if path in paths)
