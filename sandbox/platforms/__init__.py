"""One folder per platform, each answering as that platform does below its own base path."""
