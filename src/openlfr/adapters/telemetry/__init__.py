"""Metrics, trace headers and health pages of services."""
