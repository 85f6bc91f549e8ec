"""What the eligibility service does, one verb a file."""
