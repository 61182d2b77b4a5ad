"""What Neon's API answers: what is in the world, as its JSON (console.neon.tech/api/v2, as its OpenAPI document has it)."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from tests.neon_api.world import Operation, Organisation, Project

Document = dict[str, Any]
_OWNER = "629982cc-de05-43db-ae16-28f2399c4910"


def write_organisation(organisation: Organisation, *, now: datetime) -> Document:
    """Write an organisation."""
    handle = organisation.name.lower().replace(" ", "-")
    more = {"handle": f"{handle}-{organisation.id}", "plan": "free_v3", "managed_by": "console"}
    return {"id": organisation.id, "name": organisation.name, **more, **_times(now)}


def write_listed(project: Project) -> Document:
    """Write a project as it stands in a list."""
    document = {
        "id": project.id,
        "name": project.name,
        "platform_id": "aws",
        "region_id": project.region_id,
        "pg_version": project.pg_version,
        "proxy_host": f"{project.region_id}.neon.example",
        "provisioner": "k8s-neonvm",
        "branch_logical_size_limit": 512,
        "branch_logical_size_limit_bytes": 536_870_912,
        "store_passwords": True,
        "active_time": 0,
        "cpu_used_sec": 0,
        "creation_source": "neonctl",
        "owner_id": _OWNER,
        **_times(project.at),
    }
    return document | ({"org_id": project.org_id} if project.org_id else {})


def write_project(project: Project) -> Document:
    """Write a project with everything."""
    document = write_listed(project)
    del document["active_time"]
    return {
        **document,
        "active_time_seconds": 0,
        "compute_time_seconds": 0,
        "written_data_bytes": 0,
        "data_transfer_bytes": 0,
        "data_storage_bytes_hour": 0,
        "history_retention_seconds": 21600,
        "consumption_period_start": _text(project.at),
        "consumption_period_end": _text(project.at + timedelta(days=30)),
    }


def write_branch(project: Project) -> Document:
    """Write the project's only branch."""
    return {
        "id": project.branch_id,
        "project_id": project.id,
        "name": "main",
        "current_state": "ready",
        "state_changed_at": _text(project.at),
        "creation_source": "neonctl",
        "default": True,
        "protected": False,
        "cpu_used_sec": 0,
        "active_time_seconds": 0,
        "compute_time_seconds": 0,
        "written_data_bytes": 0,
        "data_transfer_bytes": 0,
        **_times(project.at),
    }


def write_endpoint(project: Project) -> Document:
    """Write the compute of the project's branch."""
    return {
        "id": project.endpoint_id,
        "host": project.host,
        "project_id": project.id,
        "branch_id": project.branch_id,
        "region_id": project.region_id,
        "autoscaling_limit_min_cu": 0.25,
        "autoscaling_limit_max_cu": 2,
        "type": "read_write",
        "current_state": "idle",
        "pooler_enabled": False,
        "pooler_mode": "transaction",
        "disabled": False,
        "passwordless_access": True,
        "creation_source": "neonctl",
        "settings": {},
        "proxy_host": f"{project.region_id}.neon.example",
        "suspend_timeout_seconds": 0,
        "provisioner": "k8s-neonvm",
        **_times(project.at),
    }


def write_role(project: Project, *, with_password: bool = False) -> Document:
    """Write the project's only role."""
    role: Document = {"branch_id": project.branch_id, "name": project.role, "protected": False, **_times(project.at)}
    return role | ({"password": project.password} if with_password else {})


def write_database(project: Project) -> Document:
    """Write the project's only database."""
    return {
        "id": 834686,
        "branch_id": project.branch_id,
        "name": project.database,
        "owner_name": project.role,
        **_times(project.at),
    }


def write_operation(operation: Operation, project: Project) -> Document:
    """Write something that Neon does; to look at it is what makes it go on."""
    status = operation.status()
    document: Document = {
        "id": operation.id,
        "project_id": project.id,
        "branch_id": project.branch_id,
        "action": operation.action,
        "status": status,
        "failures_count": int(status == "failed"),
        "total_duration_ms": 100,
        **_times(operation.at),
    }
    return document | ({"error": "the compute did not start"} if status == "failed" else {})


def write_created(project: Project) -> Document:
    """Write the answer to the making of a project."""
    place, name = project.host, f"{project.role}:{project.password}"
    parameters = {
        "database": project.database,
        "role": project.role,
        "password": project.password,
        "host": place,
        "pooler_host": place,
    }
    uri = f"postgresql://{name}@{place}/{project.database}?sslmode=require"
    return {
        "project": write_project(project),
        "connection_uris": [{"connection_uri": uri, "connection_parameters": parameters}],
        "roles": [write_role(project, with_password=True)],
        "databases": [write_database(project)],
        "operations": [write_operation(operation, project) for operation in project.operations],
        "branch": write_branch(project),
        "endpoints": [write_endpoint(project)],
    }


def _times(at: datetime) -> Document:
    return {"created_at": _text(at), "updated_at": _text(at)}


def _text(at: datetime) -> str:
    return at.strftime("%Y-%m-%dT%H:%M:%SZ")
