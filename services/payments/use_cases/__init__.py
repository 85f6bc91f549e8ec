"""What the payments service does, one verb a file."""
