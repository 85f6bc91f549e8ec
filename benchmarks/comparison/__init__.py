"""One policy of 14 rules and 11 outputs as a pack, in plain Python and for two peers: held equal, then timed."""
