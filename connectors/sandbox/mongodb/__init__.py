"""A stand-in for MongoDB: its wire protocol, and the rules that a connector meets there.

Unique `_id`s and indexes, upserts whose guard does not match (E11000), validators, the limits of size, views
and collations, cursors, users and rights, and errors that quote values. No transactions, no aggregation.
"""

from connectors.sandbox.mongodb.server import DATABASE, Server, StandIn

__all__ = ["DATABASE", "Server", "StandIn"]
