"""Images, films and gridded fields."""
