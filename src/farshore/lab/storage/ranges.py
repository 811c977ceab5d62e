"""A volume read as a page blob: HEAD, GET with ranges, and the list of its written pages.

`Range` or `x-ms-range: bytes=a-b` answers 206 with `content-range`; without a range the whole blob is the answer, as
far as `WHOLE` goes. `comp=pagelist` lists the written ranges (XML, as Azure's Get Page Ranges), so that a reader need
not fetch the zeros. `sequence=N` reads any of these as of a write (`lab/storage/disk_urls.py`).
"""

from __future__ import annotations

import re
from html import escape

from farshore.arm.http import Response
from farshore.lab.answers import quoted
from farshore.lab.call import Call, whole_number
from farshore.lab.storage import volumes

WHOLE = 256 << 20
"""The most that one answer holds: a whole disk of many GiB must be read by ranges."""
_RANGE = re.compile(r"bytes=([0-9]{1,18})-([0-9]{0,18})$")


def answer(call: Call, volume: int) -> Response:
    """The answer to a GET or HEAD of this volume."""
    writes = volumes.log(call.cloud)
    size = writes.size(volume)
    text = call.query.get("sequence", "")
    sequence = whole_number(text)
    if text and sequence is None:
        return refused(400, "InvalidQueryParameterValue", f"sequence is the number of a write, not {quoted(text)}.")
    headers = {
        "x-ms-version": "2018-03-28",
        "x-ms-blob-type": "PageBlob",
        "accept-ranges": "bytes",
        "x-ms-lab-sequence": str(writes.head(volume, sequence)),
    }
    if call.request.method.upper() == "HEAD":
        return Response(status=200, headers={**headers, "content-length": str(size)})
    if call.query.get("comp", "").lower() == "pagelist":
        pages = "".join(
            f"<PageRange><Start>{offset}</Start><End>{offset + length - 1}</End></PageRange>"
            for offset, length in writes.ranges(volume, sequence)
        )
        text = f'<?xml version="1.0" encoding="utf-8"?><PageList>{pages}</PageList>'
        listing = {**headers, "content-type": "application/xml", "x-ms-blob-content-length": str(size)}
        return Response(status=200, headers=listing, body=text.encode())
    wanted = call.headers.get("x-ms-range") or call.headers.get("range")
    first, last = 0, size - 1
    if wanted:
        found = _RANGE.match(wanted.strip())
        if found is None or int(found[1]) >= size or (found[2] and int(found[2]) < int(found[1])):
            headers["content-range"] = f"bytes */{size}"
            return refused(416, "InvalidRange", "The range specified is invalid for the current size of the resource.")
        first, last = int(found[1]), min(int(found[2]) if found[2] else size - 1, size - 1)
    if last - first + 1 > WHOLE:
        return refused(400, "OutOfRangeInput", f"Read by ranges of at most {WHOLE} bytes.")
    data = writes.read(volume, first, last - first + 1, sequence)
    headers |= {"content-type": "application/octet-stream", "content-length": str(len(data))}
    if not wanted:
        return Response(status=200, headers=headers, body=data)
    return Response(status=206, headers={**headers, "content-range": f"bytes {first}-{last}/{size}"}, body=data)


def refused(status: int, code: str, message: str) -> Response:
    """Storage's own error document."""
    said = escape(message, quote=False)
    text = f'<?xml version="1.0" encoding="utf-8"?><Error><Code>{code}</Code><Message>{said}</Message></Error>'
    return Response(
        status=status, headers={"content-type": "application/xml", "x-ms-error-code": code}, body=text.encode()
    )
