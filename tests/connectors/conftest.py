"""What whole runs into a connector's system need: a Healthie, and a probe."""

from tests.faults.conftest import healthie, probe

__all__ = ["healthie", "probe"]
