"""The rule language and its engine: packs in, explained values out; knows no place and no programme."""
