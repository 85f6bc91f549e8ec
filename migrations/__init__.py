"""Alembic's side of the three schemas: one environment, three histories."""
