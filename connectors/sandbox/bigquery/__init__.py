"""BigQuery's stand-in: the REST interface on loopback, with SQLite to run the statements.

with BigQueryServer() as server:
    BigQueryCredentials(project="practice-1", dataset="clinic", url=server.url,
                        service_account=server.service_account())

It needs sqlglot, which reads the statements by BigQuery's grammar; the package's extra `sandbox` brings it.
"""

from connectors.sandbox.bigquery.server import BigQueryServer

__all__ = ["BigQueryServer"]
