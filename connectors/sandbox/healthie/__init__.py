from connectors.sandbox.healthie.stand_in import Remote, StandIn

__all__ = ["Remote", "StandIn"]
