"""What the live event log says to a page. Identifiers only: whoever hears one asks the API for what it may see."""

from __future__ import annotations

from typing import Annotated, Literal, NotRequired, TypedDict

from common.contract import published

EventKind = Literal["study", "score", "read", "claim", "model", "run", "ai", "remark"]


class EventMessage(TypedDict):
    """Something changed."""

    seq: Annotated[int, "position in the log; later events have higher ones, with gaps"]
    kind: EventKind
    at: Annotated[str, "when, ISO 8601 with offset"]
    study_uid: NotRequired[Annotated[str, "StudyInstanceUID of the study that changed"]]
    run_id: NotRequired[Annotated[int, "the training run that changed"]]


class EventPage(TypedDict):
    """Events after a position."""

    seq: Annotated[int, "where to go on: the position to ask after next"]
    events: list[EventMessage]


@published
class HelloMessage(TypedDict):
    """The first message of the WebSocket; EventMessages follow."""

    type: Literal["hello"]
    seq: Annotated[int, "the latest position in the log"]
