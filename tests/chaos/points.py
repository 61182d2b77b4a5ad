"""The worker's side of the gate: the product's own functions, each with a stop before or after it."""

from __future__ import annotations

import dataclasses
import importlib
import sys
import threading
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta, tzinfo
from functools import cache, wraps
from pathlib import Path
from typing import Any

from django.utils import timezone

from hub.models import Post, PostPart
from hub.publishing import claims, looks, recovery, walk
from psn import http
from psn.platforms import registry
from psn.platforms.base import Adapter, Witness
from tests.chaos import pace
from tests.chaos.gate import cross, shift
from tests.chaos.vendors import VENDORS, Vendor

Any_ = Callable[..., Any]


class _Here(threading.local):
    """What this thread publishes, where a point does not say it."""

    post: object = ""
    platform: str = ""  # at whose commit call it is


_here = _Here()


def put_gates() -> None:
    """Put a gate at every point."""
    _wrap(claims, "claim", _claim)
    _wrap(walk, "_write_intent", _write_intent)
    _wrap(walk, "_store_answer", _store_answer)
    _wrap(http._Line, "trace", _trace)
    _wrap(looks, "_ask", _ask)
    _wrap(looks, "_look", _look)
    _wrap(recovery, "end_orphan", _end_orphan)
    for vendor in VENDORS.values():
        _change(vendor, connect=_gated(vendor))


def make_clock_shiftable() -> None:
    """Let the clock of this process be as wrong as the gate says. Monotonic time and the hub's clock stay right."""
    real_time, real_now = time.time, timezone.now
    time.time = lambda: real_time() + shift.seconds
    timezone.now = lambda: real_now() + timedelta(seconds=shift.seconds)


class _Shifted(datetime):
    """What `datetime.now` is to an adapter."""

    @classmethod
    def now(cls, tz: tzinfo | None = None) -> datetime:  # type: ignore[override]  # a plain datetime will do
        return datetime.now(tz or UTC) + timedelta(seconds=shift.seconds)


def use_witnesses(*, none: bool) -> None:
    """Have every platform bear witness as it does, sooner; or none of them."""
    for vendor in VENDORS.values():
        own = registry.get_platform(vendor.name).witness
        assert len(own.looks) == vendor.looks, vendor.name
        assert (own.repeat_within is not None) == (vendor.again == "window" or vendor.name == "bluesky"), vendor.name
        within = timedelta(seconds=pace.WINDOW_SECONDS) if vendor.again == "window" else own.repeat_within
        sooner = dataclasses.replace(own, looks=pace.looks(vendor.looks), repeat_within=within)
        _change(vendor, witness=Witness() if none else sooner)


def _change(vendor: Vendor, **fields: Any) -> None:
    module: Any = importlib.import_module(registry.PLATFORMS[vendor.name])
    module.PLATFORM = dataclasses.replace(module.PLATFORM, **fields)


def _gated(vendor: Vendor) -> Any_:
    real = registry.get_platform(vendor.name).connect

    def connect(*args: Any, **kwargs: Any) -> Adapter:
        _hurry(vendor.name)
        adapter = real(*args, **kwargs)
        for name, around in (
            ("upload_media", _prepare),
            ("prepare_post", _prepare),
            ("create_post", _create_post),
        ):
            _wrap(adapter, name, around)
        return adapter

    return connect


@cache
def _hurry(name: str) -> None:
    """Shorten an adapter's times, and let its clock be as wrong as this process's. Only now: importing it takes a while."""
    vendor, module = VENDORS[name], importlib.import_module(f"{registry.PLATFORMS[name]}.adapter")
    (adapter,) = (
        kind for kind in vars(module).values() if isinstance(kind, type) and kind.__module__ == module.__name__
    )
    defaults: dict[str, Any] = vars(adapter)["__init__"].__kwdefaults__
    assert set(vendor.times) <= set(defaults), name
    defaults.update(vendor.times)
    for constant, seconds in vendor.constants.items():
        assert hasattr(module, constant), constant
        setattr(module, constant, seconds)
    for name_of, loaded in list(sys.modules.items()):
        if name_of.startswith("psn.platforms.") and "datetime.now(" in _source_of(loaded):
            loaded.datetime = _Shifted  # type: ignore[attr-defined]


def _source_of(module: Any) -> str:
    return Path(module.__file__).read_text(encoding="utf-8")


def _wrap(owner: Any, name: str, around: Any_) -> None:
    real = getattr(owner, name)
    wrapped = wraps(real)(lambda *args, **kwargs: around(real, *args, **kwargs))
    setattr(owner, name, wrapped)


def _claim(real: Any_, post_id: object, *, worker: str) -> Any:
    cross(1, post_id)
    claim = real(post_id, worker=worker)
    if claim is not None:
        _here.post = claim.post_id
        cross(2, claim.post_id)
    return claim


def _write_intent(real: Any_, post: Post, part: PostPart, **kwargs: Any) -> Any:
    cross(3, post.id)
    intent = real(post, part, **kwargs)
    cross(4, post.id)
    return intent


def _trace(real: Any_, line: Any, event: str, info: Mapping[str, Any]) -> None:
    real(line, event, info)
    if event.endswith(".receive_response_headers.started") and _is_commit(line.what):
        cross(5, _here.post)


def _is_commit(operation: str) -> bool:
    """Whether it is the call that the post of this thread was prepared for."""
    vendor = VENDORS.get(_here.platform)
    return vendor is not None and vendor.is_commit(operation.replace(f" /{vendor.name}/", " /", 1))


def _create_post(real: Any_, *args: Any, **kwargs: Any) -> Any:
    _here.platform = real.__module__.split(".")[2]  # psn.platforms.NAME.adapter
    try:
        return real(*args, **kwargs)
    finally:
        _here.platform = ""
        cross(6, _here.post)


def _store_answer(real: Any_, post: Post, part: PostPart, *args: Any, parts: list[PostPart], **kwargs: Any) -> Any:
    stored = real(post, part, *args, parts=parts, **kwargs)
    cross(8 if part is parts[-1] else 7, post.id)
    return stored


def _prepare(real: Any_, *args: Any, **kwargs: Any) -> Any:
    cross(9, _here.post)
    return real(*args, **kwargs)


def _ask(real: Any_, post: Post, *args: Any, **kwargs: Any) -> Any:
    try:
        return real(post, *args, **kwargs)
    finally:
        cross(10, post.id)


def _look(real: Any_, post: Post, **kwargs: Any) -> Any:
    decided = real(post, **kwargs)
    cross(11, post.id)
    return decided


def _end_orphan(real: Any_, post: Post, **kwargs: Any) -> Any:
    cross(12, post.id)
    return real(post, **kwargs)
