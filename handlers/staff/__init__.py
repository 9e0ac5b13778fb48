"""What staff order by commands, one noun a file."""
