"""The one client: a thin one on azure-core's pipeline, that speaks ARM to the lab and to Azure alike.

Nothing above this folder can tell which of them answers. The client knows no resource type: it sends what it is given,
so that properties that we have no model for survive a read, a change and a write. Its pipeline is Azure's own:

    request id, headers, user agent -> retry -> ARM challenge authentication -> logging without secrets -> transport

Retries belong to reads. `Request.repeatable` is False on everything whose second sending is not the same as its
first, and then nothing below the driver sends it again: azure-core by itself repeats a POST that was answered 500 or
503, or anything that was answered with Retry-After.

The token goes to ARM's own host and to the hosts below it. A next page or an operation that lies elsewhere is asked
for without it.
"""

from __future__ import annotations

import re
import zlib
from collections.abc import AsyncIterator, Mapping
from datetime import timedelta
from types import TracebackType
from typing import TYPE_CHECKING, Any
from urllib.parse import urljoin, urlsplit

from azure.core.exceptions import AzureError, ClientAuthenticationError, HttpResponseError
from azure.core.pipeline import AsyncPipeline
from azure.core.pipeline.policies import AsyncRetryPolicy, HeadersPolicy, RequestIdPolicy, UserAgentPolicy
from azure.core.pipeline.transport import AsyncHttpTransport
from azure.core.rest import AsyncHttpResponse, HttpRequest
from azure.mgmt.core.policies import ARMHttpLoggingPolicy, AsyncARMChallengeAuthenticationPolicy
from msgspec import DecodeError

from farshore.arm.http import Request, Response, checked
from farshore.arm.json import Body, dumps, loads
from farshore.clock import Clock
from farshore.errors import ArmError, Fault, TransportError

if TYPE_CHECKING:
    from azure.core.credentials_async import AsyncTokenCredential

REQUEST_TIMEOUT = timedelta(seconds=60)
"""Longer than ARM takes to answer anything that is not an operation. A resumed run waits longer than this before it
looks at what was in flight when its predecessor died."""

CONNECT_TIMEOUT = timedelta(seconds=10)
RETRIES = 3


class ArmClient:
    """`async with ArmClient(...) as client: response = await client.send(request)`."""

    def __init__(
        self,
        base_url: str,
        *,
        transport: AsyncHttpTransport[Any, Any],
        credential: AsyncTokenCredential | None = None,
        scope: str | None = None,
        timeout: timedelta = REQUEST_TIMEOUT,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        self.base_url = base_url.rstrip("/")
        self.request_timeout = timeout
        self._host = (urlsplit(self.base_url).hostname or "").lower()
        self._transport = transport
        self._credential = credential
        self._plain = _pipeline(transport, headers)
        self._trusted = self._plain
        if credential is not None:
            authentication = AsyncARMChallengeAuthenticationPolicy(credential, scope or f"{self.base_url}/.default")
            self._trusted = _pipeline(transport, headers, authentication)

    async def send(self, request: Request) -> Response:
        """The answer, whatever it says. Raises `TransportError` where none came, `ArmError` where the credential
        was not good enough to ask at all. Neither shows a URL's query: it may be a signature."""
        try:
            url = urljoin(self.base_url + "/", request.url)
        except ValueError:
            raise TransportError(f"{request}: nothing can be asked there, for it is no URL") from None
        options: dict[str, Any] = {
            "connection_timeout": min(CONNECT_TIMEOUT, request.timeout or CONNECT_TIMEOUT).total_seconds(),
            "read_timeout": (request.timeout or self.request_timeout).total_seconds(),
        }
        if not request.repeatable:
            options["retry_total"] = 0
        # Who brings a credential of its own (a storage account's key) is not given ours on top of it.
        own = any(name.lower() == "authorization" for name in request.headers)
        pipeline = self._trusted if self._is_arm(url) and not own else self._plain
        try:
            answer = (await pipeline.run(_http(request, url), **options)).http_response
            content = answer.content
        except ClientAuthenticationError as error:
            fault = Fault(code="AuthenticationFailed", message=error.message or str(error), status=401)
            raise ArmError(fault, request=str(request)) from error
        except HttpResponseError as error:
            raise TransportError(f"{request}: {type(error).__name__}: {_without_query(error.message)}") from None
        except AzureError as error:
            # Not `from error`: its own text, and so a traceback, holds the URL with its signature.
            raise TransportError(f"no answer to {request}: {_without_query(error.message)}") from None
        except (zlib.error, ValueError) as error:
            raise TransportError(f"no answer to {request} that can be read: {type(error).__name__}") from None
        return _response(request, answer, content)

    async def get(self, url: str) -> Body:
        """The body of a GET that must succeed; raises `ArmError`."""
        request = Request(method="GET", url=url)
        body = checked(await self.send(request), request).body
        return body if isinstance(body, dict) else {}

    async def list_all(self, url: str) -> list[Body]:
        """Every item of a list, page after page; `nextLink` is followed as it came (L11)."""
        return [item async for item in self.pages(url)]

    async def pages(self, url: str) -> AsyncIterator[Body]:
        following: str | None = url
        seen: set[str] = set()
        while following and following not in seen:
            seen.add(following)
            body = await self.get(following)
            for item in body.get("value") or ():
                yield item
            following = body.get("nextLink")

    async def close(self) -> None:
        await self._transport.close()
        if self._credential is not None:
            await self._credential.close()

    async def __aenter__(self) -> ArmClient:
        await self._transport.open()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None = None,
        error: BaseException | None = None,
        traceback: TracebackType | None = None,
    ) -> None:
        await self.close()

    def wait_on(self, clock: Clock) -> None:
        """Let the pauses between this client's attempts pass on a clock that is not the wall's: a lab that throttles
        does so in its own time."""

        async def sleep(seconds: float) -> None:
            await clock.sleep(timedelta(seconds=seconds))

        self._transport.sleep = sleep  # type: ignore[assignment, method-assign]

    def _is_arm(self, url: str) -> bool:
        host = (urlsplit(url).hostname or "").lower()
        return host == self._host or host.endswith("." + self._host)


def _pipeline(
    transport: AsyncHttpTransport[Any, Any], headers: Mapping[str, str] | None, *authentication: Any
) -> AsyncPipeline[HttpRequest, AsyncHttpResponse]:
    """A pipeline of its own policies: one that stood in two pipelines would lead both through the second's, and a
    token with it."""
    return AsyncPipeline(
        transport,
        [
            RequestIdPolicy(),
            HeadersPolicy({"accept": "application/json", **(headers or {})}),
            UserAgentPolicy(sdk_moniker="farshore"),
            AsyncRetryPolicy(retry_total=RETRIES, retry_status=RETRIES, retry_connect=1, retry_read=0),
            *authentication,
            ARMHttpLoggingPolicy(),
        ],
    )


def _without_query(text: str) -> str:
    return re.sub(r"(\w+://[^\s?'\"]+)\?[^\s'\"]*", r"\1", text)


def _http(request: Request, url: str) -> HttpRequest:
    headers = dict(request.headers)
    content: bytes | None = None
    if isinstance(request.body, bytes):
        content = request.body
    elif request.body is not None:
        content = dumps(request.body)
        headers.setdefault("content-type", "application/json")
    elif request.method in ("POST", "PUT", "PATCH"):
        headers.setdefault("content-length", "0")
    return HttpRequest(request.method, url, headers=headers, content=content)


def _response(request: Request, answer: AsyncHttpResponse, content: bytes) -> Response:
    headers = {name.lower(): value for name, value in answer.headers.items()}
    if answer.status_code < 400 and headers.get("content-type", "").startswith("text/html"):
        raise TransportError(f"a page came in place of an answer to {request}, as from a proxy that wants to be asked")
    body: Any = content or None
    if content and "json" in headers.get("content-type", "json"):
        try:
            body = loads(content)
        except DecodeError:
            # Half an answer is none: a proxy's page, or a body that was cut off. A refusal is one by its status alone.
            if answer.status_code < 400:
                raise TransportError(f"the answer to {request} is not the JSON that it says it is") from None
            body = None
    return Response(status=answer.status_code, headers=headers, body=body)
