"""Milvus: reference templates, and the search of them."""
