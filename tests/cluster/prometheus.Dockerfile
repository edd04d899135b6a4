# Debian's Prometheus for tests/cluster, where a cluster has none:
#
#   docker build -f tests/cluster/prometheus.Dockerfile -t openlfr-test-prometheus:1 .
FROM python:3.11.15-slim-bookworm
# hadolint ignore=DL3008
RUN apt-get update \
    && apt-get install -y --no-install-recommends prometheus \
    && rm -rf /var/lib/apt/lists/*
USER 10001:10001
