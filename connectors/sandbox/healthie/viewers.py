"""Viewers: an API key is one user's, and sees what that user may see. What it may not is silently absent."""

from dataclasses import dataclass

from connectors.sandbox.healthie.rows import Row, texts


@dataclass(frozen=True, slots=True)
class Viewer:
    """The user behind a key. A narrow one sees only the patients in whose care team it is."""

    user_id: str
    sees_all: bool
    zone: str

    def in_care(self, patient: Row) -> bool:
        return patient.get("dietitian_id") == self.user_id or self.user_id in texts(
            patient, "other_provider_ids"
        )
