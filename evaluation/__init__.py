"""How well the bot understands: committed messages, and what it made of each."""
