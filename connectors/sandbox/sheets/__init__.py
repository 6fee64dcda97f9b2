"""Google Sheets and Drive as far as Ferry speaks to them, on loopback: one spreadsheet that people edit, too.

with SheetsServer() as server:
    sheets = Sheets(SheetsCredentials(**server.values), tables)
    server.people.sort("patients", "full_name")
"""

from connectors.sandbox.sheets.people import People
from connectors.sandbox.sheets.server import SheetsServer
from connectors.sandbox.sheets.state import Refusal

__all__ = ["People", "Refusal", "SheetsServer"]
