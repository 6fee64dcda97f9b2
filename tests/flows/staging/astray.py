"""What of the environment might lead a client elsewhere, and the place where it would come out."""

import socket
import threading
from collections.abc import Iterable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Self

OTHER = "127.0.0.2"  # loopback, and no system's address


class Trap:
    """Listens where nothing of ours may come. `caught` counts the connections."""

    def __init__(self, ports: Iterable[int]) -> None:
        """ports: the systems' own, which it has at another address: an override may change the host alone."""
        self._open = [socket.create_server(("127.0.0.1", 0))]
        for port in sorted(set(ports)):
            with suppress(OSError):  # the machine gave it to somebody else
                self._open.append(socket.create_server((OTHER, port)))
        self.port = int(self._open[0].getsockname()[1])
        self.caught: list[int] = []
        for one in self._open:
            threading.Thread(target=self._accept, args=(one,), daemon=True).start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for one in self._open:
            with suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)
            one.close()

    def _accept(self, listening: socket.socket) -> None:
        while True:
            try:
                came, _ = listening.accept()
            except OSError:
                return
            self.caught.append(int(listening.getsockname()[1]))
            came.close()


def environment(trap: Trap, folder: Path, *, spared: str) -> Mapping[str, str]:
    """Variables that name the trap in the place of a system. spared: Prefect's address, none of a system."""
    folder.mkdir(parents=True, exist_ok=True)
    aws, service, netrc = folder / "aws", folder / "pg_service", folder / "netrc"
    aws.write_text(
        f"[default]\nendpoint_url = {trap.url}\nregion = eu-west-1\n"
        f"[profile away]\nendpoint_url = {trap.url}\n"
    )
    session = "-c default_transaction_read_only=off -c search_path=elsewhere"
    service.write_text(f"[away]\nhost={OTHER}\nhostaddr={OTHER}\nport={trap.port}\noptions={session}\n")
    netrc.write_text("machine 127.0.0.1 login somebody password else\n")
    host = f"127.0.0.1:{trap.port}"
    proxies = dict.fromkeys(("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "WS_PROXY"), trap.url)
    amazon = ("AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL_STS", "AWS_ENDPOINT_URL_REDSHIFT")
    return {
        **proxies,
        **{name.lower(): url for name, url in proxies.items()},
        "NO_PROXY": f"http://{spared},{spared}",
        "no_proxy": f"http://{spared},{spared}",
        **dict.fromkeys(amazon, trap.url),
        "AWS_CONFIG_FILE": str(aws),
        "AWS_SHARED_CREDENTIALS_FILE": str(aws),
        "AWS_PROFILE": "away",
        "AWS_REGION": "eu-west-1",
        "AWS_EC2_METADATA_SERVICE_ENDPOINT": trap.url,
        "AWS_CONTAINER_CREDENTIALS_FULL_URI": trap.url,
        "BIGQUERY_EMULATOR_HOST": trap.url,
        "STORAGE_EMULATOR_HOST": trap.url,
        "GCE_METADATA_HOST": host,
        "GCE_METADATA_IP": host,
        "GOOGLE_CLOUD_PROJECT": "elsewhere",
        "GOOGLE_API_USE_MTLS_ENDPOINT": "always",
        "PGHOST": OTHER,
        "PGHOSTADDR": OTHER,
        "PGPORT": str(trap.port),
        "PGDATABASE": "elsewhere",
        "PGSERVICE": "away",
        "PGSERVICEFILE": str(service),
        "PGOPTIONS": session,
        "MYSQL_HOST": OTHER,
        "MYSQL_TCP_PORT": str(trap.port),
        "MONGODB_URI": f"mongodb://{host}/elsewhere",
        "AIRTABLE_ENDPOINT_URL": trap.url,
        "AIRTABLE_API_URL": trap.url,
        "HUBSPOT_API_BASE_URL": trap.url,
        "HUBSPOT_HOST": trap.url,
        "HEALTHIE_URL": trap.url,
        "NETRC": str(netrc),
        "LOCALDOMAIN": "elsewhere.example.com",
    }
