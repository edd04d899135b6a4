"""What travels on Kafka: messages as bytes, and their headers.

`codec` turns domain values into records and back, and is the only place that touches protobuf;
`headers.py` says what stands beside a message; `v1/` is generated from `protos/` by
`scripts/protos` and checked in.
"""
