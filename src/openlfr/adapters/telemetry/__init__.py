"""Metrics, traces and health pages."""
