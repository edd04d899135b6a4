"""Small programs that run in the release's pods, with the pods' own rights."""

from __future__ import annotations

# alerting: every published sighting, with its count.
PUBLISHED = """
import json, sys
from collections import Counter
from pathlib import Path
from kafka import KafkaConsumer, TopicPartition
from openlfr import bootstrap, settings
from openlfr.wire import codec
loaded = settings.load(Path("/etc/openlfr/CONFIG.yaml"))
access = bootstrap.require_kafka(loaded)
consumer = KafkaConsumer(**access.client_arguments(), enable_auto_commit=False)
parts = [TopicPartition("sightings.v1", n) for n in consumer.partitions_for_topic("sightings.v1")]
consumer.assign(parts)
consumer.seek_to_beginning(*parts)
ends, seen = consumer.end_offsets(parts), Counter()
while any(consumer.position(part) < end for part, end in ends.items()):
    for records in consumer.poll(timeout_ms=1000).values():
        for record in records:
            sighting = codec.decode_sighting(record.value)[0]
            seen[sighting.camera, sighting.sighting_id] += 1
print(json.dumps([[*key, number] for key, number in seen.items()]))
"""

# operator: every event in the records.
RECORDED = """
import json
from contextlib import closing
from pathlib import Path
from openlfr import bootstrap, settings
loaded = settings.load(Path("/etc/openlfr/CONFIG.yaml"))
with closing(bootstrap.open_records(loaded)) as records:
    deployment = records.deployments.find("Market").deployment_id
    rows = [
        [event.event.sighting.camera, event.event.sighting.sighting_id, event.event.event_id,
         alert.alert_id, alert.subject]
        for alert in records.alerts.list(deployment=deployment)
        for event in records.alerts.events(alert.alert_id)
    ]
print(json.dumps(rows))
"""

# operator: number of analysed frames of each camera, by the tallies.
ANALYSED = """
import json
from contextlib import closing
from pathlib import Path
from openlfr import bootstrap, settings
loaded = settings.load(Path("/etc/openlfr/CONFIG.yaml"))
with closing(bootstrap.open_records(loaded)) as records:
    totals = records.tallies.totals(records.deployments.find("Market").deployment_id)
print(json.dumps({each.camera: each.frames_analysed for each in totals}))
"""

# any pod: whether a port answers.
REACHES = """
import socket, sys
try:
    socket.create_connection((sys.argv[1], int(sys.argv[2])), 3).close()
    print("open")
except OSError:
    print("closed")
"""

# a worker: one metric of its own page.
METRIC = """
import sys, urllib.request
page = urllib.request.urlopen("http://127.0.0.1:6066/metrics", timeout=5).read().decode()
print(sum(float(line.split()[-1]) for line in page.splitlines() if line.startswith(sys.argv[1])))
"""
