"""Kafka: topics, producers, readers, rights."""
