from tests.connectors.hubspot.conftest import portal, running

__all__ = ["portal", "running"]
