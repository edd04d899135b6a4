"""Metrics, trace headers, and the health and metrics pages of services."""
