"""The front door: commands. Nothing is decided here; each says what it did in the staff's language."""
