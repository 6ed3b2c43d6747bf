"""What one would send with in our place, each as its own documentation shows it, in a file of its own."""
