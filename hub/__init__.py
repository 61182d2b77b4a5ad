"""The Django app: everything remembered, and every verb."""
