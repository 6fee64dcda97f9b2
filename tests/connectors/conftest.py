"""What whole runs into a connector's system need: one Prefect server for all of them, and a Healthie."""

from tests.faults.conftest import healthie, prefect, probe

__all__ = ["healthie", "prefect", "probe"]
