"""Nobody sees or changes another person's rows: every table, every way in (SPEC HUB-9).

`default` is a person's own login; `worker` is the login that may act for several people, here acting as the same person.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from django.apps import apps
from django.db import DatabaseError, connections, models, transaction
from django.db.models import Count, F, Max
from django.db.models.functions import Cast

from hub.models import Company, Login, User, WorkerHeartbeat
from hub.models.base import Owned, new_id
from hub.rls.identity import acting_as
from tests.factories import OWNER
from tests.hub.worlds import World

MODELS = list(apps.get_app_config("hub").get_models())
OWNED: list[type[Any]] = [model for model in MODELS if issubclass(model, Owned)]
NOT_OWNED = {User, Login, WorkerHeartbeat, Company}
REFERENCES = [
    (model, field.name)
    for model in OWNED
    for field in model._meta.concrete_fields
    if field.is_relation and issubclass(field.related_model, Owned)
]
REFUSED = {
    "42501": "not allowed",
    "23514": "against a law, because the other's row is not there for this person",
    "23503": "a reference stands in the way",
}

pytestmark = pytest.mark.django_db(databases="__all__")
every_owned_model = pytest.mark.parametrize("model", OWNED, ids=lambda model: model.__name__)
by_person_and_worker = pytest.mark.parametrize("alias", ["default", "worker"])


def sqlstate_of(error: BaseException) -> str:
    return str(getattr(error.__cause__, "sqlstate", ""))


def attempt(alias: str, action: Any) -> Any:
    """Do it in a savepoint; give what came of it, or `refused`."""
    try:
        with transaction.atomic(using=alias):
            return action()
    except DatabaseError as error:
        if sqlstate_of(error) not in REFUSED:
            raise
        return "refused"


def rows_of_other(model: type[Any], world: World) -> list[Any]:
    """The other's rows with the transaction that wrote them, so that even a change without effect shows."""
    with connections[OWNER].cursor() as cursor:
        cursor.execute(
            f"SELECT t.xmin::text, to_jsonb(t) FROM {model._meta.db_table} t WHERE user_id = %s",
            [world.people.other.id],
        )
        return list(cursor.fetchall())


def copy_of(row: Any, **changes: Any) -> Any:
    """A new row with another's content."""
    values = {field.attname: getattr(row, field.attname) for field in row._meta.concrete_fields}
    return type(row)(**(values | {"id": new_id()} | changes))


def plain_field(model: type[Any]) -> str:
    """Some column that holds plain text."""
    return next(field.name for field in model._meta.concrete_fields if isinstance(field, models.TextField))


class TestEveryModel:
    def test_is_classified_as_owned_or_not(self) -> None:
        assert set(MODELS) == set(OWNED) | NOT_OWNED, "a new model must say whose its rows are"

    def test_has_a_row_in_the_world_of_these_tests(self, world: World) -> None:
        assert set(world.mine) == set(world.theirs) == set(OWNED)

    def test_that_is_owned_is_tied_to_its_owner_by_a_column_that_cannot_be_empty(self) -> None:
        assert [model for model in OWNED if model._meta.get_field("user").null] == []


@every_owned_model
@by_person_and_worker
class TestReading:
    def test_shows_ones_own_rows_alone(self, alias: str, model: type[Any], world: World) -> None:
        mine = world.mine[model].pk
        everything = model._default_manager.using(alias)
        with acting_as(world.people.me.id):
            assert [row.pk for row in everything.all()] == [mine]
            assert [row.pk for row in everything.iterator(chunk_size=1)] == [mine]
            assert list(everything.values_list("pk", "user_id")) == [(mine, world.people.me.id)]
            assert everything.count() == 1
            assert everything.aggregate(n=Count("pk"), last=Max(Cast("user_id", models.TextField()))) == {
                "n": 1,
                "last": str(world.people.me.id),
            }

    def test_does_not_find_the_others_row_by_its_key(self, alias: str, model: type[Any], world: World) -> None:
        theirs = model._default_manager.using(alias).filter(pk=world.theirs[model].pk)
        with acting_as(world.people.me.id):
            assert not theirs.exists()
            with pytest.raises(model.DoesNotExist):
                theirs.get()
            assert attempt(alias, lambda: list(theirs.select_for_update())) in ([], "refused")

    def test_lets_no_expression_run_on_the_others_row(self, alias: str, model: type[Any], world: World) -> None:
        with acting_as(world.people.me.id), connections[alias].cursor() as cursor:
            cursor.execute(
                f"SELECT count(*) FROM {model._meta.db_table} WHERE 1 / (CASE WHEN user_id = %s THEN 0 ELSE 1 END) = 1",
                [world.people.other.id],
            )
            assert cursor.fetchone() == (1,)


@every_owned_model
@by_person_and_worker
class TestWriting:
    @pytest.fixture(autouse=True)
    def _others_rows_stay_as_they_are(self, model: type[Any], world: World) -> Iterator[None]:
        before = rows_of_other(model, world)
        assert len(before) == 1
        yield
        assert rows_of_other(model, world) == before

    def test_does_not_reach_the_others_row(self, alias: str, model: type[Any], world: World) -> None:
        rows, field = model._default_manager.using(alias), plain_field(model)
        theirs = rows.filter(pk=world.theirs[model].pk)
        with acting_as(world.people.me.id):
            assert attempt(alias, lambda: theirs.update(**{field: "stolen"})) in (0, "refused")
            assert attempt(alias, lambda: theirs._raw_delete(alias)) in (0, "refused")
            assert attempt(alias, lambda: rows.update(**{field: F(field)})) in (1, "refused")
            assert attempt(alias, lambda: rows.all()._raw_delete(alias)) in (1, "refused")

    def test_creates_nothing_for_the_other(self, alias: str, model: type[Any], world: World) -> None:
        theirs = world.theirs[model]
        rows, field = model._default_manager.using(alias), plain_field(model)
        forged = copy_of(theirs, id=theirs.pk, user_id=world.people.me.id)
        upsert = {"update_conflicts": True, "unique_fields": ["id"], "update_fields": [field]}
        with acting_as(world.people.me.id):
            assert attempt(alias, lambda: copy_of(theirs).save(using=alias, force_insert=True)) == "refused"
            assert attempt(alias, lambda: rows.bulk_create([copy_of(theirs), copy_of(theirs)])) == "refused"
            assert attempt(alias, lambda: rows.bulk_create([forged], **upsert)) == "refused"

    def test_hands_no_row_over_and_takes_none(self, alias: str, model: type[Any], world: World) -> None:
        rows = model._default_manager.using(alias)
        with acting_as(world.people.me.id):
            give = rows.filter(pk=world.mine[model].pk)
            take = rows.filter(pk=world.theirs[model].pk)
            assert attempt(alias, lambda: give.update(user_id=world.people.other.id)) == "refused"
            assert attempt(alias, lambda: take.update(user_id=world.people.me.id)) in (0, "refused")

    def test_cannot_empty_the_table(self, alias: str, model: type[Any], world: World) -> None:
        def truncate() -> None:
            with connections[alias].cursor() as cursor:
                cursor.execute(f"TRUNCATE {model._meta.db_table} CASCADE")

        with acting_as(world.people.me.id):
            assert attempt(alias, truncate) == "refused"


@pytest.mark.parametrize(
    ("model", "field"), REFERENCES, ids=[f"{model.__name__}.{field}" for model, field in REFERENCES]
)
@by_person_and_worker
class TestReferences:
    def test_never_point_at_the_others_row(self, alias: str, model: type[Any], field: str, world: World) -> None:
        target = model._meta.get_field(field).related_model
        forged = copy_of(world.mine[model], **{f"{field}_id": world.theirs[target].pk})
        with acting_as(world.people.me.id), pytest.raises(DatabaseError) as caught, transaction.atomic(using=alias):
            forged.save(using=alias, force_insert=True)
        assert sqlstate_of(caught.value) in REFUSED
