"""Access to one warehouse, and to the bucket through which rows are loaded."""

from typing import Annotated
from urllib.parse import urlsplit

from pydantic import Field, SecretStr

from connectors.address import Endpoint, is_local
from connectors.bucket import BucketCredentials, Role

PORT = 5439
SILENCE = 620  # seconds: longer than a statement may take


class RedshiftCredentials(BucketCredentials):
    """A user of a cluster or workgroup, the bucket for its loads, and the role by which the cluster reads it.

    warehouse: https://<endpoint>:5439, as the console shows the endpoint. Its name may lead into a private
    network, as most warehouses' do: like a database's, it is held by its certificate. copy_role: the IAM role
    that is attached to the cluster; no key is ever in the text of a statement. silence: seconds until a
    warehouse that says nothing is given up.
    """

    warehouse: Endpoint
    database: Annotated[str, Field(pattern=r"^[A-Za-z0-9_$-]{1,127}$")]
    user: Annotated[str, Field(pattern=r"^[A-Za-z0-9_.+:@$-]{1,128}$")]
    password: SecretStr
    copy_role: Role
    silence: Annotated[int, Field(ge=1)] = SILENCE

    @property
    def host(self) -> str:
        return urlsplit(self.warehouse).hostname or ""

    @property
    def port(self) -> int:
        return urlsplit(self.warehouse).port or PORT

    @property
    def here(self) -> bool:
        """Is the warehouse a stand-in on this machine?"""
        return is_local(self.warehouse)
