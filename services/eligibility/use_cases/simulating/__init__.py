"""What a change of figures or packs does to a whole population, block by block."""
