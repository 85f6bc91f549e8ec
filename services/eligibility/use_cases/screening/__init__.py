"""Screening a whole population: one Parquet file in, a folder of parts out, the same bytes however it was computed."""
