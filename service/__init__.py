"""Orbit Voice: a self-hosted Voice API on Asterisk and Redis."""

__version__ = "0.1.0"
