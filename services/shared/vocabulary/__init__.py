"""Pure words of the field: values in, values out."""
