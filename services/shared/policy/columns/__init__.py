"""The same rules over whole populations: the checked trees printed as loops over columns and as SQL."""
