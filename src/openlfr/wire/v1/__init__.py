"""Generated from `protos/openlfr/wire/v1` by `scripts/protos`; only `wire/codec` uses it."""
