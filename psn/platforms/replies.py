"""Reading what a platform answers, whatever it answers: with JSON that is not what it promised, with a proxy's HTML, with nothing."""

from __future__ import annotations

from typing import TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError

from psn.errors import Unavailable, UnknownOutcome
from psn.http import Reply


class Tolerant(BaseModel):
    """Ignores what it does not know: platforms add fields without a new version."""

    model_config = ConfigDict(extra="ignore", hide_input_in_errors=True)


Model = TypeVar("Model", bound=BaseModel)


def read_answer(
    model: type[Model],
    reply: Reply,
    *,
    title: str,
    lost_means: type[Unavailable | UnknownOutcome] = Unavailable,
) -> Model:
    """Read an answer of 2xx into its model.

    Args:
        title: of the platform, for people.

    Raises:
        Unavailable, UnknownOutcome: as `lost_means` says, when it is not what the platform promises.
    """
    try:
        return model.model_validate(reply.json())
    except (ValidationError, ValueError):
        raise lost_means(
            f"{title} answered {reply.status}, but the answer cannot be read.",
            http_status=reply.status,
            request_id=reply.request_id,
        ) from None
