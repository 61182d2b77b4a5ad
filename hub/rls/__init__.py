"""Row-level security: who is acting, which policies a table has, and the audit that proves it (SPEC HUB-9).

`identity` binds the acting person, `policies` declares who may do what, `operations` puts a table and its policies into one
migration, `roles` makes the database roles before the first migration, and `audit` reads the catalog and reports what is open.
"""
