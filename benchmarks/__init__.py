"""What a message costs: a load generator, two bare bots to compare with, and the report."""
