"""A WebSocket client over the ASGI application. (The one that Channels ships wants Daphne, which we do not run.)"""

# mypy: disallow-untyped-calls=False
# Channels and asgiref annotate little.
from __future__ import annotations

import json
from typing import Any

from asgiref.testing import ApplicationCommunicator


class Socket(ApplicationCommunicator):
    """What a page does with a WebSocket."""

    def __init__(self, application: Any, url: str, headers: list[tuple[bytes, bytes]]) -> None:
        path, _, query = url.partition("?")
        scope = {"type": "websocket", "path": path, "query_string": query.encode(), "headers": headers}
        super().__init__(application, {**scope, "subprotocols": []})

    async def connect(self) -> tuple[bool, int | None]:
        """Whether it was accepted, and the code where it was not."""
        await self.send_input({"type": "websocket.connect"})
        answer = await self.receive_output(timeout=2)
        return answer["type"] == "websocket.accept", answer.get("code")

    async def hear(self, timeout: float = 2) -> dict[str, Any]:
        answer = await self.receive_output(timeout=timeout)
        assert answer["type"] == "websocket.send", answer
        message: dict[str, Any] = json.loads(answer["text"])
        return message

    async def close(self) -> None:
        await self.send_input({"type": "websocket.disconnect", "code": 1000})
        await self.wait(timeout=2)

    async def closing_code(self) -> int:
        """The code with which the server ends it."""
        answer = await self.receive_output(timeout=2)
        assert answer["type"] == "websocket.close", answer
        return int(answer["code"])

    async def quiet(self, seconds: float = 0.4) -> bool:
        """True where nothing comes for so long."""
        return bool(await self.receive_nothing(timeout=seconds))
