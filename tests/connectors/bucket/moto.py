"""A real S3 as far as it goes: moto's server on loopback, one for all tests, and a bucket for each."""

import logging
import uuid
from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any

import boto3
from moto.server import ThreadedMotoServer

KEYS = {"access_key_id": "testing", "secret_access_key": "secret-of-the-bucket"}
QUICK = {"first_wait": 0.01, "longest_wait": 2.0, "back_off": 0.05, "connect": 2.0, "answer": 2.0}
PATIENT = {**QUICK, "answer": 30.0}  # where nothing hangs but the machine


@cache
def server() -> str:
    """Its URL. It ends with the tests' process."""
    logging.getLogger("werkzeug").setLevel(logging.ERROR)  # a line for each request
    made = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    made.start()
    host, port = made.get_host_and_port()
    return f"http://{host}:{port}"


@cache
def client() -> Any:
    """The SDK's own, past all connectors."""
    return boto3.Session(
        aws_access_key_id="testing", aws_secret_access_key="testing", region_name="us-east-1"
    ).client("s3", endpoint_url=server())


def new_bucket() -> str:
    name = f"ferry-{uuid.uuid4().hex[:12]}"
    client().create_bucket(Bucket=name)
    return name


def objects(bucket: str) -> Mapping[str, bytes]:
    """Everything in a bucket, by key."""
    s3 = client()
    return {key: s3.get_object(Bucket=bucket, Key=key)["Body"].read() for key in keys(bucket)}


def keys(bucket: str) -> list[str]:
    return list(_keys(bucket))


def _keys(bucket: str) -> Iterator[str]:
    for page in client().get_paginator("list_objects_v2").paginate(Bucket=bucket):
        for one in page.get("Contents", ()):
            yield str(one["Key"])
