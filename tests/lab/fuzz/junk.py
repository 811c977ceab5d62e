"""What is put where something sensible stood: names, pieces of paths, queries, headers, values and whole contents."""

from __future__ import annotations

from typing import Any

from farshore.lab import identity
from lab.authorization.callers import AT_SUBSCRIPTION, READER
from lab.fuzz.rig import URL
from lab.resources.deployed import GROUP_ID


def _words(text: str) -> tuple[str, ...]:
    return tuple(text.split())


MANY_DIGITS = "9" * 5000
"""More than Python makes a number of."""
ABSENT = f"{GROUP_ID}/providers/Microsoft.Network/virtualNetworks/absent"
ELSEWHERE = AT_SUBSCRIPTION.replace("1", "2") + "/resourceGroups/rg-lab/providers/Microsoft.Network/virtualNetworks/hub"
NAMES = (
    *_words(
        "new UPPER a.b - . .. ... 0 null default a'b a&b=c a;b a/b a%2Fb a%b ünïcödé 名前 a\\b a?b a#b [ {0} %s $x"
    ),
    *("a b", "x" * 300, "\u0000", "\n", "'or 1=1--", "\U0001f600", "\u202e"),
    *("AzurePrivatePeering", "GatewaySubnet", READER),
)
PATHS = (*_words("// ///x //[ /% /%2 /%zz /%ff%fe /%00 /.. /. /%2F /#x /; /:80 /@"), "/ ", "/\x80")
"""Pieces of a path that no client of ours would write."""
VERSIONS = _words("""
    api-version=2024-05-01 api-version=2015-06-15 api-version=2025-08-01 api-version=2022-09-01
    api-version=2020-05-01-preview API-Version=2021-02-01
""")
WRONG_VERSIONS = (
    *("", "api-version=", "api-version=latest", "api-version=2024-13-45", "api-version=9999-99-99", "api-version"),
    *("api-version=2024-05-01&api-version=2020-01-01", "api-version=%00", "api-version=2024-05-01%0a", "a=b", "&&=&"),
    "api-version=2024-05-01-x" + "y" * 300,
)
QUERIES = (
    *(f"{name}={MANY_DIGITS}" for name in ("$top", "$skiptoken", "since", "limit", "sequence")),
    *_words("""
    $top=1 $top=0 $top=-1 $top=x $top=99999999999999999999 $top=1&$skiptoken=1 $top=%00 $top=²
    $skiptoken=x $skiptoken=-5 $skiptoken=999999999999999999 $skiptoken=1e5 $skiptoken=٣
    $filter=x $filter=name+eq+'x' $filter=resourceType+eq+'Microsoft.Network/virtualNetworks' $filter='
    $filter=tagName+eq+'a'+and+tagValue+eq+'b' $filter=((((( $filter=name+eq $filter=a%00b $filter=
    $filter=startswith(name,'a') $filter=substringof('a',name) $filter=instanceType+eq+'A2A'
    $expand=x $expand=instanceView $expand=createdTime $expand=properties recurse=true recurse=x $select=a
    ipAddress=10.0.0.1 ipAddress=x ipAddress= ipAddress=fe80::1 domainNameLabel=x x=%zz since=x since=-1
    since=99999999999999999999 since=1 since=² limit=0 limit=x limit=-1 limit=5 disk=x disk=/ item=x item=/
    sequence=x sequence=-1 sequence=5 sha256=true used=true comp=page comp=pagelist comp=x sv=x&sig=y
    targetRegion=x force=true forceDeletion=true at=x from=x&to=y name=x filter=x snapshot=x peer=x
    peeringLocation=x linkType=x failoverTestId=x type=x fetchLatest=x attemptRefresh=true peer=10.0.0.4
    """),
)
HEADERS: tuple[dict[str, str], ...] = (
    *({"if-match": each} for each in ("*", 'W/"x"', "", "\xe9")),
    *({"if-none-match": each} for each in ("*", '"x"')),
    *({"content-type": each} for each in ("text/plain", "application/json; charset=utf-16", "", "\xe9", "multipart/x")),
    *({"x-ms-client-request-id": each} for each in ("x", "\xe9\xff", "", "y" * 5000)),
    *({"x-ms-range": each} for each in ("bytes=0-511", "bytes=5-1", "bytes=x-y", "bytes=0-", "bytes=-5", "bytes=²-")),
    *({"range": each} for each in ("bytes=99999999999999999999-99999999999999999999", "x", "bytes=0-1,3-4")),
    {"range": f"bytes={MANY_DIGITS}-{MANY_DIGITS}"},
    {"accept": "text/html"},
    {"x-ms-correlation-request-id": "\xe9"},
    {"x-identity-header": "none"},
    {"x-farshore-time": "lab"},
    *({"authorization": each} for each in ("", "Bearer", "Bearer x", "Bearer a.b.c", "Bearer \xe9.\xe9.\xe9")),
    *({"authorization": each} for each in ("Bearer e30.W10.x", "Bearer e30.bnVsbA.x", "Basic eDp5", "bearer ..")),
    *({"authorization": each} for each in ("SharedKey blobsaway:\xe9", "SharedKey x:y", "AccountKey x", "SharedKey :")),
    {"authorization": "Bearer " + identity.token("tenant", 0, audience=URL, who=READER)},
)
VALUES: tuple[Any, ...] = (
    *(None, "", "x", " ", 5, 0, -1, 1.5, True, False, [], {}, [None], ["x"], [5], [{}], [[]], {"id": 5}, {"id": "x"}),
    *({"a": "b"}, {"id": None}, {"name": "x"}, [{"name": "x"}], [{"name": "x"}, {"name": "X"}], [{"id": "/"}]),
    *([{"name": "a/b", "properties": {}}], {"": ""}, {"name": ["x"]}, {"properties": []}),
    *(2**31, 2**53, 2**63, 2**64, -(2**63) - 1, 10**30, 1e308, -0.0, float("nan"), float("inf"), 0.1),
    *(MANY_DIGITS, "\u0000", "\ud800", "é" * 50, "x" * 20_000, "\u202e", "'\"", "10.0.0.0/8, 10.1.0.0/16"),
    *_words("""
    {0} %s / // /subscriptions/ ../.. a/b a/b/c 0.0.0.0/0 10.0.0.0/33 300.1.1.1 10.0.0.1/8 ::/0 fe80::1 10.0.0.0/8
    10.1.0.4 * - 1-2 99999 0 -1 2026-03-03T00:00:00Z 9999-12-31T23:59:59Z 0001-01-01 2026-03-03T00:00:00+14:00
    2026-03-03 PT1H P99999Y true ٣ ² eastasia East mars https://x/y?z https://[ A2A Inbound Deny Allow Static Dynamic
    https://blobshome.blob.core.windows.net/vhds/x.vhd Basic Standard Enabled Disabled Empty Copy ExpressRoute Vpn
    IPsec AzurePublicPeering VirtualAppliance PrimaryToRecovery RecoveryToPrimary GatewaySubnet TCP Udp Primary Latest
    """),
    *("/subscriptions/x/resourceGroups/y", ABSENT, ELSEWHERE),
)
CONTENTS: tuple[bytes, ...] = (
    *(b"", b"{", b"nul", b"null", b"[]", b"5", b'"x"', b"\xff\xfe", b"\xef\xbb\xbf{}", b"{'a': 1,}", b"{a: [1,,2]}"),
    *(b"\x00", b'{"a": 1, "a": 2}', b'{"properties": {"a": "\xff"}}', b"{}" * 2, b"NaN", b'{"properties": NaN}'),
    *(b"[" * 100_000, b'{"a":' * 50_000, b'{"properties":' * 900 + b"{}" + b"}" * 900, b"1" * 5000, b"-", b"1e400"),
    *(b'{"a": "\\ud800"}', b"{'a': '\\ud800'}", b'{"a": 1e999}', '{"a": 1}'.encode("utf-16"), b"//", b"/* {"),
    *(b'{"a": "' + b"x" * 200_000 + b'"}', b"---\na: b", b"<x/>", b"a=b&c=d", b"grant_type=x&client_id=y", b"{:}"),
    *(b"client_secret=wrong&client_id=x", b"username=%ff&client_id=%zz", b'{"properties": 1} x', b"{'a': 'b", b"{a b}"),
)
