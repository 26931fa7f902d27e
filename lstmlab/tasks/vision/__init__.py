"""Tasks on images, video and gridded fields."""
