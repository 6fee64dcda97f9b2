"""Healthie's GraphQL API: entries, changes and operational writes. Session notes are never asked for."""

from connectors.healthie.connector import Healthie
from connectors.healthie.credentials import HealthieCredentials

__all__ = ["Healthie", "HealthieCredentials"]
