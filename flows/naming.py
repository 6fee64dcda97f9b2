"""What a tenant's things are called: on Prefect's server, which allows no underscore there, and to people."""

from flows.parameters import Mode

BLOCK_TYPE = "sealed-connection"
STAGING = ".staging"  # ends the name of what is staged; no integration's own name has a dot


def joined(tenant: str, name: str) -> str:
    """The name under which a tenant's thing is known. Two pairs may have the same: `ferry check` tells."""
    return f"{tenant}-{name}".replace("_", "-").replace(".", "-")


def block(tenant: str, connection: str) -> str:
    """The name of a connection's block document."""
    return f"ferry-{joined(tenant, connection)}"


def deployment(tenant: str, integration: str, mode: Mode) -> str:
    """The name of an integration's deployment; it is tried and live in two of them, side by side."""
    return f"{tenant}-{integration}{'-staging' if mode == 'staging' else ''}"


def mode_of(label: str) -> tuple[str, Mode]:
    """The integration's own label, and in which mode, of a label as the ledger has it."""
    own = label.removesuffix(STAGING)
    return own, "live" if own == label else "staging"


def told(label: str, mode: Mode) -> str:
    """An integration in a mode, as a line says it: `acme/crm, staging`."""
    return f"{label}, staging" if mode == "staging" else label


def typed(label: str, mode: Mode) -> str:
    """The same as a command takes it: `acme/crm --staging`."""
    return f"{label} --staging" if mode == "staging" else label
