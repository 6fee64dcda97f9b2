# Ferry for Cloud Run: the flow's jobs and the worker use this one image. No secret is in it, at build or later.
# Build from a clean checkout: docker build --tag REGION-docker.pkg.dev/PROJECT/ferry/ferry:VERSION .
FROM python:3.11-slim-bookworm AS build

ENV PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1
WORKDIR /app
RUN python -m venv /venv
# Dependencies first, each by its hash: the layer is built anew only when the lock changes.
COPY requirements.lock ./
RUN /venv/bin/python -m pip install "pip>=25" && /venv/bin/python -m pip install --require-hashes --requirement requirements.lock

FROM python:3.11-slim-bookworm

# One account without a password, a shell or a home that anything is kept in.
RUN groupadd --gid 10001 ferry && useradd --uid 10001 --gid 10001 --no-create-home --shell /usr/sbin/nologin ferry
ENV PATH=/venv/bin:$PATH \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    PYTHONPATH=/app \
    HOME=/tmp \
    PREFECT_HOME=/tmp/prefect \
    FERRY_HOME=/tmp/ferry \
    FERRY_ENV=production \
    DO_NOT_TRACK=1
WORKDIR /app
COPY --from=build /venv /venv
COPY connectors ./connectors
COPY agent ./agent
COPY flows ./flows
COPY deployments ./deployments
USER 10001:10001
# Prefect's worker gives each job its command; without one, the image says what it is.
CMD ["python", "-m", "flows", "--help"]
