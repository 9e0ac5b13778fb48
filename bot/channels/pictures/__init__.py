"""Pictures that people sent, taken over from where a platform keeps them for a while."""
