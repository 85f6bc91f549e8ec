"""Watches the departments' feeds and raises alerts about people whose entitlement may have changed."""
