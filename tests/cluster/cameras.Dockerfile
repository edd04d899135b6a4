# Simulated RTSP cameras for tests/cluster, built from the repository's root:
#
#   docker build -f tests/cluster/cameras.Dockerfile -t openlfr-test-cameras:1 .
#
# It waits until films are copied into it (/films/plan.json, then /films/ready), and serves them.
FROM python:3.11.15-slim-bookworm
# hadolint ignore=DL3008
RUN apt-get update \
    && apt-get install -y --no-install-recommends \
       gir1.2-gst-rtsp-server-1.0 gstreamer1.0-plugins-good python3-gi \
    && rm -rf /var/lib/apt/lists/*
COPY src/openlfr/simulate/cameras_server.py /cameras_server.py
USER 10001:10001
CMD ["sh", "-c", "until [ -e /films/ready ]; do sleep 1; done; exec /usr/bin/python3 -I /cameras_server.py /films/plan"]
