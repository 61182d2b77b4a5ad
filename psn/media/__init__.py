"""Media files: what they are. Checking, resizing and transcoding per platform come to live here too."""
