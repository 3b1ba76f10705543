"""Faults, injected for real: what breaks, and what becomes of the events."""
