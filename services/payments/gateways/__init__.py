"""The world outside payments: the bank's messages, the holiday notice, the packs on disk."""
