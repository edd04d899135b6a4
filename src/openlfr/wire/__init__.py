"""Messages on Kafka as bytes, and their headers.

`codec` encodes domain values as records and decodes them, and is the only user of protobuf.
`headers.py` writes and reads a message's headers, `seal.py` its authentication code. `v1/` is
generated from `protos/` by `scripts/protos` and checked in.
"""
