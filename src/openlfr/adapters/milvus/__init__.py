"""Milvus: a store of reference templates, and their search."""
