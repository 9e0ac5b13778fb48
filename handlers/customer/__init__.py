"""What a customer is answered: a file a subject."""
