"""Faust: agents and workers of a consumer group."""
