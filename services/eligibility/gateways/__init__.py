"""The world outside the eligibility service."""
