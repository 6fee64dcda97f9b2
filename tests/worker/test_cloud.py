"""What can be checked of the Google Cloud files without Google: schemas, the image's rules, the page."""

import json
import re
import uuid
from collections.abc import Callable
from pathlib import Path

import jsonschema
import pytest
import sqlalchemy as sa
import yaml
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from prefect.client.schemas.objects import FlowRun
from prefect.utilities.templating import apply_values
from prefect_gcp.workers.cloud_run_v2 import CloudRunWorkerJobV2Configuration, CloudRunWorkerV2
from sqlalchemy.exc import OperationalError

from flows.ledger import keys, store
from flows.ledger.database import connect
from flows.server import ROOT
from flows.settings import Settings
from tests.flows.vault.kms import KmsServer, kms_server
from tests.flows.vault.ledgers import opened
from tests.worker.postgres import served
from tests.worker.test_up import ferry

TEMPLATE = json.loads((ROOT / "deployments" / "work-pools" / "cloud-run-v2.json").read_text())
SECRETS = TEMPLATE["variables"]["properties"]["env_from_secrets"]["default"]
PAGE = (ROOT / "docs" / "google-cloud.md").read_text()
JOINED = re.sub(r"\\\n\s*", "", "\n".join(re.findall(r"```bash\n(.*?)```", PAGE, re.DOTALL)))
ROLES = {
    "cryptoKeyEncrypter": {"encrypt"},
    "cryptoKeyDecrypter": {"decrypt"},
    "cryptoKeyEncrypterDecrypter": {"encrypt", "decrypt"},
}
DOCKERFILE = (ROOT / "Dockerfile").read_text()
SECRET = re.compile(r"(KEY|TOKEN|PASSWORD|SECRET|AUTH_STRING|LEDGER_URL)$")


def instructions() -> list[tuple[str, str]]:
    """The Dockerfile's instructions, lines joined: ("RUN", "…")."""
    joined = re.sub(r"\\\n\s*", "", DOCKERFILE)
    lines = [line for line in joined.splitlines() if line.strip() and not line.startswith("#")]
    return [(word, rest) for word, _, rest in (line.partition(" ") for line in lines)]


def defaults() -> dict[str, object]:
    properties = TEMPLATE["variables"]["properties"]
    return {name: one["default"] for name, one in properties.items() if "default" in one}


def an_account() -> dict[str, object]:
    """Credentials that the worker's model can read, of a key that was made this moment."""
    key = rsa.generate_private_key(65537, 2048).private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    made = {
        "type": "service_account",
        "project_id": "test",
        "client_email": "nobody@test.iam.gserviceaccount.com",
        "private_key": key.decode(),
        "token_uri": "http://127.0.0.1:9/token",
    }
    return {"service_account_info": made, "project": "test"}


def test_the_template_knows_the_variables_and_settings_that_the_worker_does() -> None:
    theirs = CloudRunWorkerV2.get_default_base_job_template()

    assert TEMPLATE["job_configuration"] == theirs["job_configuration"]
    assert TEMPLATE["variables"]["properties"].keys() == theirs["variables"]["properties"].keys()
    assert TEMPLATE["variables"]["definitions"] == theirs["variables"]["definitions"]


def test_every_default_fits_its_own_schema() -> None:
    schema = {**TEMPLATE["variables"], "$schema": "http://json-schema.org/draft-07/schema#"}
    jsonschema.Draft7Validator.check_schema(schema)

    jsonschema.validate(defaults(), schema)


def test_the_worker_makes_a_job_of_it_that_runs_ferry_with_least_rights() -> None:
    values = defaults() | {"credentials": an_account(), "name": "north-hourly"}
    configuration = CloudRunWorkerJobV2Configuration.model_validate(
        apply_values(TEMPLATE["job_configuration"], values)
    )
    configuration.env["PREFECT_API_AUTH_STRING"] = "in-clear"
    run = FlowRun(id=uuid.uuid4(), flow_id=uuid.uuid4(), name="r")
    configuration.prepare_for_flow_run(run)
    template = configuration.job_body["template"]["template"]
    (container,) = template["containers"]
    environment = {one["name"]: one for one in container["env"]}

    assert template["maxRetries"] == 0
    assert template["serviceAccount"].startswith("ferry-run@")
    assert container["command"][0] == "prefect" or "prefect" in " ".join(container["command"])
    assert environment["FERRY_LEDGER_URL"]["valueSource"]["secretKeyRef"]["secret"] == "ferry-ledger-url"
    assert "in-clear" not in json.dumps(configuration.job_body)
    assert [name for name, one in environment.items() if "value" in one and SECRET.search(name)] == []


def test_the_templates_environment_names_settings_that_exist() -> None:
    ours = {f"FERRY_{name.upper()}" for name in Settings.model_fields} | {"FERRY_KEK"}
    named = {*TEMPLATE["variables"]["properties"]["env"]["default"], *SECRETS}

    assert {name for name in named if str(name).startswith("FERRY_")} <= ours


def test_the_image_is_locked_and_runs_as_nobody_in_particular() -> None:
    found = instructions()
    users = [rest for word, rest in found if word == "USER"]
    bases = [rest.split()[0] for word, rest in found if word == "FROM"]

    assert users and not users[-1].startswith(("root", "0"))
    assert all(":" in base and not base.endswith(":latest") for base in bases)
    assert len(set(bases)) == 1
    assert any("--require-hashes" in rest for word, rest in found if word == "RUN")
    assert [word for word, _ in found if word in ("ADD", "ARG")] == []
    assert found[-1][0] == "CMD" and isinstance(json.loads(found[-1][1]), list)
    assert all(" . " not in f" {rest} " for word, rest in found if word == "COPY")
    assert not [rest for word, rest in found if word == "ENV" and SECRET.search(rest.split("=")[0])]


def test_the_image_copies_what_is_there_and_what_the_flow_needs() -> None:
    copied = [rest.split()[0] for word, rest in instructions() if word == "COPY" and "--from" not in rest]
    ignored = (ROOT / ".dockerignore").read_text().splitlines()

    assert all((ROOT / one).exists() for one in copied)
    assert {"flows", "agent", "connectors", "deployments"} <= set(copied)
    assert {f"!{one}" for one in copied} <= set(ignored)
    assert ignored[1] == "*"


@pytest.mark.parametrize("path", sorted((ROOT / "deployments").rglob("*.yaml")), ids=str)
def test_every_yaml_of_deployments_is_yaml(path: Path) -> None:
    assert yaml.safe_load(path.read_text()) is not None


def test_the_page_is_plain_about_what_was_not_tried_and_names_what_the_files_name() -> None:
    accounts = set(re.findall(r"\bferry-[a-z]+(?=@)", PAGE + json.dumps(TEMPLATE)))
    made = set(re.findall(r"for name in ([a-z -]+);", PAGE)[0].split())

    assert "was not run against Google" in PAGE
    assert accounts and accounts <= made
    for secret in ("ferry-ledger-url", "prefect-auth-string"):
        assert f"secrets create {secret}" in PAGE
    assert "deployments/work-pools/cloud-run-v2.json" in PAGE


def granted() -> dict[str, set[str]]:
    """What the page lets each account do with the KEK."""
    grants = re.findall(
        r"kms keys add-iam-policy-binding.*--role=roles/cloudkms\.(\w+).*Account:([\w-]+)@", JOINED
    )
    return {account: ROLES[role] for role, account in grants}


def needed(kms: KmsServer, act: Callable[[], object]) -> set[str]:
    """What an act asks of the KEK."""
    kms.requests.clear()
    act()
    return set(kms.requests)


def test_each_account_may_do_with_the_key_what_its_commands_need(tmp_path: Path) -> None:
    with kms_server() as kms:
        engine, kek = connect(f"sqlite:///{tmp_path / 'ledger.db'}"), kms.kek()

        def enrol() -> None:  # as ferry connect does: the tenant's seal, and a noted act
            store.seal_of(engine, kek, "local", "acme")
            store.audit_key(engine, kek, "local")

        enrols = needed(kms, enrol)
        runs = needed(kms, lambda: opened(engine, kek, "acme"))
        kms.rotate()
        enrols |= needed(kms, lambda: list(keys.rotate(engine, kek, "local")))
        engine.dispose()

    assert granted() == {"ferry-run": runs, "ferry-enrol": enrols}


def test_the_watch_needs_no_key_and_is_given_none(tmp_path: Path) -> None:
    status = ferry(tmp_path, "status", "--check", FERRY_KEK="no key at all")
    sweep = ferry(tmp_path, "sweep", FERRY_KEK="no key at all")
    (job,) = [line for line in JOINED.splitlines() if line.startswith("gcloud run jobs create ferry-watch")]

    assert status.stderr == "" and "never ran" in status.stdout
    assert sweep.stderr.startswith("ferry: prefect: no server is named; ")
    assert "FERRY_KEK" not in job


def test_prefects_server_is_where_its_clients_can_sign_in() -> None:
    (server,) = [line for line in JOINED.splitlines() if line.startswith("gcloud run deploy ferry-prefect")]
    others = [
        line for line in JOINED.splitlines() if line.startswith(("gcloud beta run w", "gcloud run jobs c"))
    ]
    connector = TEMPLATE["variables"]["properties"]["vpc_connector_name"]["default"]

    assert {"--ingress=internal", "--no-invoker-iam-check"} <= set(server.split())
    assert not {"--iap", "--no-allow-unauthenticated", "--allow-unauthenticated"} & set(server.split())
    assert len(others) == 2 and all("--network=default" in line for line in others)
    assert connector.endswith("/connectors/ferry") and "connectors create ferry " in JOINED
    assert "--dns-name=run.app." in JOINED and "'*.run.app.'" in JOINED


def test_a_tenant_is_connected_and_approved_before_it_is_checked_and_deployed() -> None:
    said = re.findall(r"^ferry (\w+) TENANT", JOINED, re.MULTILINE)

    assert said == ["connect", "compile", "test", "approve", "check", "deploy"]


def test_each_databases_user_reaches_its_own_and_no_other() -> None:
    blocks = re.findall(r"```sql\n(.*?)```", PAGE, re.DOTALL)
    extension, apart = (re.sub(r"\bferry\b", "desk", block) for block in blocks)  # ferry: this server's own
    with served() as url:
        server = sa.make_url(url)
        sql(server, AS_GOOGLE_MAKES_THEM)
        assert sql(server.set(username="desk"), "SELECT current_database()") == "prefect"

        sql(server.set(username="postgres"), extension)
        sql(server.set(username="postgres"), apart)

        for user, other in (("desk", "prefect"), ("prefect", "desk")):
            own = server.set(username=user, database=user)
            sql(own, "CREATE TABLE mine (id integer); DROP TABLE mine")
            assert sql(own, "SELECT pg_has_role(current_user, 'cloudsqlsuperuser', 'member')") is False
            with pytest.raises(OperationalError, match="permission denied for database"):
                sql(own.set(database=other), "SELECT 1")


AS_GOOGLE_MAKES_THEM = """
CREATE ROLE cloudsqlsuperuser CREATEDB CREATEROLE;
CREATE ROLE postgres LOGIN CREATEDB CREATEROLE;
CREATE ROLE desk LOGIN CREATEDB CREATEROLE IN ROLE cloudsqlsuperuser;
CREATE ROLE prefect LOGIN CREATEDB CREATEROLE IN ROLE cloudsqlsuperuser;
GRANT cloudsqlsuperuser, desk, prefect TO postgres WITH ADMIN OPTION;
CREATE DATABASE desk OWNER cloudsqlsuperuser;
ALTER DATABASE prefect OWNER TO cloudsqlsuperuser
"""


def sql(url: sa.URL, statements: str) -> object:
    """Each statement by itself; the last one's value, if it has one."""
    engine, value = sa.create_engine(url, isolation_level="AUTOCOMMIT", poolclass=sa.NullPool), None
    with engine.connect() as connection:
        for one in filter(str.strip, statements.split(";")):
            done = connection.execute(sa.text(one))
            value = done.scalar() if done.returns_rows else None
    return value


def test_every_command_of_the_page_names_a_project_or_works_in_one() -> None:
    google = [line.strip() for line in JOINED.splitlines() if line.strip().startswith("gcloud ")]

    assert len(google) > 25
    assert google[0].startswith("gcloud config set project")
    assert not [
        line for line in google if "--password=" in line or "roles/owner" in line or "roles/editor" in line
    ]
