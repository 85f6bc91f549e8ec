"""What each service's migration loads beside its tables."""

from services.cli.migration import ShippedData

SHIPPED: dict[str, ShippedData] = {}
