"""Measures the service against Asterisk's own limit on one machine. It uses the API, the stack and public metrics."""
