"""How the bot learns to hear: examples of what people write, and what is learned from them."""
