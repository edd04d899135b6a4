"""Migrations of older schemas to the present schema; `schema.migrate` applies them in order."""
