"""The only door to django-q2. The queue is a doorbell: it says "look at this post now", and ringing twice is harmless."""
