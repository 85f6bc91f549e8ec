"""The payments service's HTTP resources and their bodies."""
