"""Every address of the API says what it answers."""

from __future__ import annotations

import pytest

from tests.api_contract import answers_of, is_named, operations

# Operations whose answer OpenAPI does not name yet. It only ever shrinks.
NOT_YET_NAMED = {
    "get /api/v1/agreement/",
    "get /api/v1/agreement/question/",
    "get /api/v1/discussions/{item}/",
    "post /api/v1/discussions/{item}/",
    "post /api/v1/discussions/{item}/unblind/",
    "get /api/v1/label-queue/",
    "post /api/v1/label-queue/{item}/skip/",
    "get /api/v1/label-schemas/",
    "post /api/v1/label-schemas/",
    "post /api/v1/label-schemas/check/",
    "get /api/v1/label-schemas/in-force/",
    "post /api/v1/label-schemas/in-force/",
    "get /api/v1/label-schemas/{name}/",
    "get /api/v1/labels/",
    "post /api/v1/labels/import/",
    "get /api/v1/me/keys/",
    "put /api/v1/me/keys/",
    "post /api/v1/patients/import/",
    "get /api/v1/patients/{pk}/",
    "patch /api/v1/patients/{pk}/",
    "post /api/v1/patients/{pk}/merge/",
    "post /api/v1/patients/{pk}/split/",
    "get /api/v1/queues/",
    "post /api/v1/queues/",
    "get /api/v1/queues/choices/",
    "post /api/v1/queues/preview/",
    "get /api/v1/queues/{queue}/",
    "patch /api/v1/queues/{queue}/",
    "get /api/v1/studies/{uid}/",
    "patch /api/v1/studies/{uid}/",
    "get /api/v1/studies/{uid}/ahead/",
    "post /api/v1/studies/{uid}/claim/",
    "patch /api/v1/studies/{uid}/clips/{sop_uid}/view/",
    "get /api/v1/studies/{uid}/history/",
    "get /api/v1/studies/{uid}/priors/{prior}/drawings/",
    "get /api/v1/studies/{uid}/reads/",
    "post /api/v1/studies/{uid}/reads/agreement/",
    "post /api/v1/studies/{uid}/reads/aside/",
    "post /api/v1/studies/{uid}/reads/carry/",
    "post /api/v1/studies/{uid}/reads/commit/",
    "put /api/v1/studies/{uid}/reads/draft/",
    "get /api/v1/studies/{uid}/reads/earlier/",
    "post /api/v1/studies/{uid}/reads/reopen/",
    "post /api/v1/studies/{uid}/reads/restore/",
    "get /api/v1/studies/{uid}/score/",
    "get /api/v1/studies/{uid}/timeline/",
    "post /api/v1/upload/",
    "get /api/v1/worklist/",
}


def _unnamed() -> set[str]:
    return {
        f"{method} {path}"
        for path, method, operation in operations()
        for _, schema in answers_of(operation)
        if not is_named(schema)
    }


def test_every_answer_has_a_named_shape() -> None:
    assert not _unnamed() - NOT_YET_NAMED


@pytest.mark.parametrize(
    ("schema", "named"),
    [
        ({"$ref": "#/components/schemas/Row"}, True),
        ({"type": "array", "items": {"$ref": "#/components/schemas/Row"}}, True),
        ({"type": "object", "additionalProperties": {"$ref": "#/components/schemas/Row"}}, True),
        ({"type": "object", "additionalProperties": {}}, False),
        ({"type": "array", "items": {}}, False),
        ({}, False),
    ],
)
def test_a_bare_object_is_no_named_shape(schema: dict[str, object], named: bool) -> None:
    assert is_named(schema) is named
