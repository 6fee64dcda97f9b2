"""What a tenant's things are called on Prefect's server, which allows no underscore there."""

BLOCK_TYPE = "sealed-connection"


def joined(tenant: str, name: str) -> str:
    """The name under which a tenant's thing is known. Two pairs may have the same: `ferry check` tells."""
    return f"{tenant}-{name}".replace("_", "-")


def block(tenant: str, connection: str) -> str:
    """The name of a connection's block document."""
    return f"ferry-{joined(tenant, connection)}"
