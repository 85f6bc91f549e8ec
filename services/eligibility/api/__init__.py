"""The eligibility service's HTTP resources and their bodies."""
