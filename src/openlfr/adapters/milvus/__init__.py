"""Milvus: storing reference templates, and searching them."""
