"""A local Zalo OA and Messenger: it speaks HTTP only and imports nothing of the bot."""
