"""What the stand-ins of Instagram and Threads share, because both are Meta's Graph API."""
