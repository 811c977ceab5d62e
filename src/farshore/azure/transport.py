"""A transport around a function: how something in this process answers an azure-core pipeline.

azure-core's own seam is the transport: `send` takes an `HttpRequest`, `sleep` makes the pauses of its retry policy.
Here `send` goes to a function of ours and `sleep` to our clock, so that a lab in this process has the whole road of a
real request behind it, retries and authentication included, and lab time stands still meanwhile.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, MutableMapping
from datetime import timedelta
from types import TracebackType
from typing import Any

from azure.core.exceptions import HttpResponseError, ServiceResponseError
from azure.core.pipeline.transport import AsyncHttpTransport
from azure.core.rest import AsyncHttpResponse, HttpRequest
from azure.core.utils import case_insensitive_dict

from farshore.arm.http import Request, Response
from farshore.arm.json import dumps, loads
from farshore.clock import Clock
from farshore.errors import TransportError

Handler = Callable[[Request], Awaitable[Response]]
"""Answers a request, or raises `TransportError` for the silence of a network. `Request.timeout` is the client's."""


class HandlerTransport(AsyncHttpTransport[HttpRequest, AsyncHttpResponse]):
    """See the theory above."""

    def __init__(self, handler: Handler, clock: Clock) -> None:
        self._handler = handler
        self._clock = clock

    async def send(self, request: HttpRequest, **options: Any) -> AsyncHttpResponse:
        timeout = options.get("read_timeout")
        asked = Request(
            method=request.method,
            url=request.url,
            body=_body(request),
            headers={name.lower(): value for name, value in request.headers.items()},
            timeout=None if timeout is None else timedelta(seconds=timeout),
        )
        try:
            answer = await self._handler(asked)
        except TransportError as error:
            raise ServiceResponseError(str(error)) from error
        return _HandlerResponse(request, answer)

    async def sleep(self, duration: float) -> None:
        await self._clock.sleep(timedelta(seconds=duration))

    async def open(self) -> None:
        pass

    async def close(self) -> None:
        pass

    async def __aenter__(self) -> HandlerTransport:
        return self

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None = None,
        exc_value: BaseException | None = None,
        traceback: TracebackType | None = None,
    ) -> None:
        pass


class _HandlerResponse(AsyncHttpResponse):
    """An answer that is here already, body and all."""

    def __init__(self, request: HttpRequest, answer: Response) -> None:
        body = answer.body
        self._request = request
        self._status = answer.status
        self._content = body if isinstance(body, bytes) else b"" if body is None else dumps(body)
        self._kind = "application/octet-stream" if isinstance(body, bytes) else "application/json; charset=utf-8"
        self._headers = case_insensitive_dict({"content-type": self._kind, **answer.headers})

    @property
    def request(self) -> HttpRequest:
        return self._request

    @property
    def status_code(self) -> int:
        return self._status

    @property
    def headers(self) -> MutableMapping[str, str]:
        return self._headers

    @property
    def reason(self) -> str:
        return ""

    @property
    def content_type(self) -> str | None:
        return self._kind

    @property
    def is_closed(self) -> bool:
        return True

    @property
    def is_stream_consumed(self) -> bool:
        return True

    @property
    def encoding(self) -> str | None:
        return "utf-8"

    @encoding.setter
    def encoding(self, value: str | None) -> None:
        raise AttributeError("these answers are UTF-8")

    @property
    def url(self) -> str:
        return self._request.url

    @property
    def content(self) -> bytes:
        return self._content

    def text(self, encoding: str | None = None) -> str:
        return self._content.decode(encoding or "utf-8")

    def json(self) -> Any:
        return loads(self._content) if self._content else None

    def raise_for_status(self) -> None:
        if self._status >= 400:
            raise HttpResponseError(response=self)

    async def read(self) -> bytes:
        return self._content

    def iter_raw(self, **kwargs: Any) -> AsyncIterator[bytes]:
        return self._pieces()

    def iter_bytes(self, **kwargs: Any) -> AsyncIterator[bytes]:
        return self._pieces()

    async def _pieces(self) -> AsyncIterator[bytes]:
        yield self._content

    async def close(self) -> None:
        pass

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None = None,
        exc_value: BaseException | None = None,
        traceback: TracebackType | None = None,
    ) -> None:
        pass


def _body(request: HttpRequest) -> Any:
    content = request.content
    if not content:
        return None
    kind = request.headers.get("content-type", "")
    if "json" in kind:
        return loads(content)
    return content
