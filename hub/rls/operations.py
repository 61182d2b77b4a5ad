"""Migration operations: a table's policies, foreign keys that cannot cross owners, and laws as triggers."""

from __future__ import annotations

from collections.abc import Sequence

from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations.operations.base import Operation
from django.db.migrations.state import ProjectState

from hub.rls.policies import Grant, Policy
from hub.rls.roles import MAINTENANCE, hub_kind, role_prefix


class OpenFurther(Operation):
    """Add policies and grants to a table that is under row-level security already. Reversed, it takes exactly these away."""

    reduces_to_sql = True
    reversible = True

    def __init__(self, model_name: str, policies: Sequence[Policy], grants: Sequence[Grant]) -> None:
        self.model_name = model_name
        self.policies = tuple(policies)
        self.grants = tuple(grants)

    def state_forwards(self, app_label: str, state: ProjectState) -> None:
        """Change nothing that Django keeps track of."""

    def database_forwards(
        self, app_label: str, schema_editor: BaseDatabaseSchemaEditor, from_state: ProjectState, to_state: ProjectState
    ) -> None:
        """Open what is listed."""
        table = to_state.apps.get_model(app_label, self.model_name)._meta.db_table
        prefix = role_prefix(schema_editor.connection)
        for policy in self.policies:
            schema_editor.execute(_create_policy(policy, table=table, prefix=prefix))
        for grant in self.grants:
            schema_editor.execute(f"GRANT {', '.join(grant.commands)} ON {table} TO {prefix}_{grant.group}")

    def database_backwards(
        self, app_label: str, schema_editor: BaseDatabaseSchemaEditor, from_state: ProjectState, to_state: ProjectState
    ) -> None:
        """Close it again."""
        table = from_state.apps.get_model(app_label, self.model_name)._meta.db_table
        prefix = role_prefix(schema_editor.connection)
        for policy in self.policies:
            schema_editor.execute(f"DROP POLICY {policy.name} ON {table}")
        for grant in self.grants:
            schema_editor.execute(f"REVOKE {', '.join(grant.commands)} ON {table} FROM {prefix}_{grant.group}")

    def describe(self) -> str:
        """Say what the migration does."""
        return f"Open {self.model_name} further"


class SecureTable(OpenFurther):
    """Put a table under row-level security: enabled, forced, default deny, and exactly these policies and grants.

    The owner sees rows only with `app.maintenance` on, which data migrations have. Reversed, it leaves no policy and no grant:
    closed, never open.
    """

    def database_forwards(
        self, app_label: str, schema_editor: BaseDatabaseSchemaEditor, from_state: ProjectState, to_state: ProjectState
    ) -> None:
        """Close the table, then open exactly what is listed."""
        table = to_state.apps.get_model(app_label, self.model_name)._meta.db_table
        self._close(schema_editor, table)
        schema_editor.execute(
            f"CREATE POLICY maint ON {table} TO CURRENT_USER USING ({MAINTENANCE}) WITH CHECK ({MAINTENANCE})"
        )
        super().database_forwards(app_label, schema_editor, from_state, to_state)

    def database_backwards(
        self, app_label: str, schema_editor: BaseDatabaseSchemaEditor, from_state: ProjectState, to_state: ProjectState
    ) -> None:
        """Close the table."""
        self._close(schema_editor, from_state.apps.get_model(app_label, self.model_name)._meta.db_table)

    def describe(self) -> str:
        """Say what the migration does."""
        return f"Put {self.model_name} under row-level security"

    @staticmethod
    def _close(schema_editor: BaseDatabaseSchemaEditor, table: str) -> None:
        with schema_editor.connection.cursor() as cursor:
            cursor.execute("SELECT polname FROM pg_policy WHERE polrelid = %s::regclass", [table])
            policies = [name for (name,) in cursor.fetchall()]
            cursor.execute(
                "SELECT DISTINCT r.rolname FROM pg_class c, aclexplode(c.relacl) a JOIN pg_roles r ON r.oid = a.grantee "
                "WHERE c.oid = %s::regclass AND a.grantee <> c.relowner",
                [table],
            )
            grantees = [f'"{name}"' for (name,) in cursor.fetchall()]
        for name in policies:
            schema_editor.execute(f'DROP POLICY "{name}" ON {table}')
        schema_editor.execute(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY")
        schema_editor.execute(f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY")
        schema_editor.execute(f"REVOKE ALL ON {table} FROM {', '.join(['PUBLIC', *grantees])}")


class _SqlPair(Operation):
    """An operation that is one statement forwards and one backwards, on the owner's connection."""

    reduces_to_sql = True
    reversible = True
    only = ""

    def state_forwards(self, app_label: str, state: ProjectState) -> None:
        """Change nothing that Django keeps track of."""

    def _is_for(self, schema_editor: BaseDatabaseSchemaEditor) -> bool:
        return self.only in ("", hub_kind(schema_editor.connection))

    def statements(self, *, prefix: str) -> tuple[list[str], list[str]]:
        """Give the statements forwards and backwards."""
        raise NotImplementedError

    def database_forwards(
        self, app_label: str, schema_editor: BaseDatabaseSchemaEditor, from_state: ProjectState, to_state: ProjectState
    ) -> None:
        """Run the statements."""
        if not self._is_for(schema_editor):
            return
        for statement in self.statements(prefix=role_prefix(schema_editor.connection))[0]:
            schema_editor.execute(statement, params=None)

    def database_backwards(
        self, app_label: str, schema_editor: BaseDatabaseSchemaEditor, from_state: ProjectState, to_state: ProjectState
    ) -> None:
        """Undo them."""
        if not self._is_for(schema_editor):
            return
        for statement in self.statements(prefix=role_prefix(schema_editor.connection))[1]:
            schema_editor.execute(statement, params=None)


class HubSql(_SqlPair):
    """Plain SQL in which `{prefix}` stands for the hub's role prefix.

    Args:
        only: the kind of hub it is for; every hub when empty.
    """

    def __init__(self, forwards: str, *, reverse: str, only: str = "") -> None:
        self.forwards, self.reverse, self.only = forwards, reverse, only

    def statements(self, *, prefix: str) -> tuple[list[str], list[str]]:
        """Give the statements forwards and backwards."""
        return [self.forwards.replace("{prefix}", prefix)], [self.reverse.replace("{prefix}", prefix)]

    def describe(self) -> str:
        """Say what the migration does."""
        return "SQL for this hub's roles"


class OwnedForeignKey(_SqlPair):
    """A foreign key that carries the owner, so a row can only refer to rows of the same person.

    Plain foreign keys are checked without row-level security: they would let one person refer to, and lock, another's row.
    """

    def __init__(self, table: str, column: str, references: str, on_delete: str = "NO ACTION") -> None:
        self.table, self.column, self.references, self.on_delete = table, column, references, on_delete

    def statements(self, *, prefix: str) -> tuple[list[str], list[str]]:
        """Give the statements forwards and backwards."""
        name = f"{self.table}_{self.column}_of_owner"
        key = f"FOREIGN KEY (user_id, {self.column}) REFERENCES {self.references} (user_id, id) ON DELETE {self.on_delete}"
        return [f"ALTER TABLE {self.table} ADD CONSTRAINT {name} {key}"], [
            f"ALTER TABLE {self.table} DROP CONSTRAINT {name}"
        ]

    def describe(self) -> str:
        """Say what the migration does."""
        return f"Tie {self.table}.{self.column} to rows of the same owner"


class Law(_SqlPair):
    """A rule between rows that always holds: a trigger with its function in `hub_api`.

    Args:
        body: PL/pgSQL between BEGIN and END, with `{prefix}` for the hub's role prefix; raises when the law would be broken.
        events: `UPDATE`, `INSERT OR UPDATE`, …
    """

    def __init__(self, name: str, table: str, events: str, body: str) -> None:
        self.name, self.table, self.events, self.body = name, table, events, body

    def statements(self, *, prefix: str) -> tuple[list[str], list[str]]:
        """Give the statements forwards and backwards."""
        function = (
            f"CREATE FUNCTION hub_api.{self.name}() RETURNS trigger LANGUAGE plpgsql SET search_path = public, pg_temp "
            f"AS $law$ BEGIN {self.body.replace('{prefix}', prefix)} END $law$"
        )
        trigger = f"CREATE TRIGGER {self.name} BEFORE {self.events} ON {self.table} FOR EACH ROW EXECUTE FUNCTION hub_api.{self.name}()"
        revoke = f"REVOKE ALL ON FUNCTION hub_api.{self.name}() FROM PUBLIC"
        return [function, revoke, trigger], [
            f"DROP TRIGGER {self.name} ON {self.table}",
            f"DROP FUNCTION hub_api.{self.name}()",
        ]

    def describe(self) -> str:
        """Say what the migration does."""
        return f"Law {self.name} on {self.table}"


class OpenTable(_SqlPair):
    """Grant rights on a table of a third-party app that holds nobody's rows (the queue). Named in the audit's list."""

    def __init__(self, table: str, grants: Sequence[Grant]) -> None:
        self.table, self.grants = table, tuple(grants)

    def statements(self, *, prefix: str) -> tuple[list[str], list[str]]:
        """Give the statements forwards and backwards."""
        forwards = [f"REVOKE ALL ON {self.table} FROM PUBLIC"]
        forwards += [
            f"GRANT {', '.join(grant.commands)} ON {self.table} TO {prefix}_{grant.group}" for grant in self.grants
        ]
        return forwards, [f"REVOKE ALL ON {self.table} FROM {prefix}_member, {prefix}_service"]

    def describe(self) -> str:
        """Say what the migration does."""
        return f"Open {self.table}"


def _create_policy(policy: Policy, *, table: str, prefix: str) -> str:
    roles = ", ".join(f"{prefix}_{group}" for group in policy.groups)
    using = f" USING ({policy.using})" if policy.using else ""
    check = f" WITH CHECK ({policy.check})" if policy.check else ""
    return f"CREATE POLICY {policy.name} ON {table} FOR {policy.command} TO {roles}{using}{check}"
