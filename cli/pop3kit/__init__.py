"""The command ``pop3kit``: the kit from a shell."""
