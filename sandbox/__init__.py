"""Processes that stand in for the world outside; each runs by itself and imports nothing of the services."""
