"""What entitlement is: household facts, determinations and answers; pure."""
