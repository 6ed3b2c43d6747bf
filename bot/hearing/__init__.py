"""What a message means before anything is looked up: leaving, a crisis, a command. Pure."""
