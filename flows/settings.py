"""Where Ferry keeps things on this machine. Every value may be set in the environment as FERRY_<NAME>."""

from pathlib import Path

from pydantic_settings import BaseSettings, SettingsConfigDict

PRODUCTION = "production"  # the environment in which nothing is forgiven


class Settings(BaseSettings):
    """One machine's settings; a tenant's are in deployments/."""

    model_config = SettingsConfigDict(
        env_prefix="FERRY_", extra="ignore", frozen=True, hide_input_in_errors=True
    )

    home: Path = Path(".ferry")
    env: str = "local"  # bound into every sealed value: a copy from production does not open here
    deployments: Path = Path("deployments")
    ledger_url: str = ""  # default: SQLite below home
    key_file: Path | None = None  # default: below home
    key_passphrase_file: Path | None = None  # default: a protected key file's passphrase is asked for
    kek: str = ""  # what wraps: the key file, or "gcp-kms:projects/…/cryptoKeys/…"
    kek_retired: str = ""  # former ones, with commas between: they open what is not rotated yet
    gcp_credentials: str = ""  # a Prefect block GcpCredentials; default: the machine's own account
    workers: int = 4  # threads that run tasks
    review_port: int = 8490  # where `ferry review` answers, if it is free
    lease_seconds: float = 60.0  # how long a run that says nothing keeps its integration

    def ledger(self) -> str:
        return self.ledger_url or f"sqlite:///{self.home.resolve() / 'ledger.db'}"

    def key(self) -> Path:
        return self.key_file or self.home / "keys" / "ferry.key"

    def retired(self) -> list[str]:
        return [name for part in self.kek_retired.split(",") if (name := part.strip())]
