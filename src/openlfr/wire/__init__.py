"""Messages on Kafka: their bytes and their headers.

`codec` encodes domain values as records, and decodes records; nothing else uses protobuf.
`headers.py` writes and reads headers; `seal.py` signs and verifies records. `scripts/protos`
generates `v1/` from `protos/`.
"""
