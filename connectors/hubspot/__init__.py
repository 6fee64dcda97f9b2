"""HubSpot: contacts and companies by unique property, static lists; and contacts as entries of a source."""

from connectors.hubspot.connector import HubSpot
from connectors.hubspot.credentials import HubSpotCredentials
from connectors.hubspot.options import HubSpotOptions

__all__ = ["HubSpot", "HubSpotCredentials", "HubSpotOptions"]
