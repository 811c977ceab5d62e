"""Storage accounts and the page blobs in them: names of the whole world, keys, signed reads by ranges."""

from __future__ import annotations

import re

import pytest

from farshore.arm.http import Response
from farshore.arm.json import Body
from farshore.lab.storage.blobs import sign
from lab.core.bench import COMPUTE, Lab, example_lab, refusal, rid

STORAGE = "Microsoft.Storage/storageAccounts"
ACCOUNT = rid(STORAGE, "stsourcevhds", group="rg-source")
FILE1 = rid(f"{COMPUTE}/virtualMachines", "file1", group="rg-source")
NEW: Body = {"location": "eastasia", "sku": {"name": "Standard_LRS"}, "kind": "StorageV2"}


@pytest.fixture
def lab() -> Lab:
    return example_lab()


def keys(lab: Lab, account: str = ACCOUNT) -> list[str]:
    return [row["value"] for row in lab.must(lab.post(account + "/listKeys")).body["keys"]]


def blob(lab: Lab) -> tuple[str, str]:
    """The system disk of the machine with unmanaged disks: Azure's own URL, and the lab's path for it."""
    url = str(lab.properties(FILE1)["storageProfile"]["osDisk"]["vhd"]["uri"])
    found = re.fullmatch(r"https://([a-z0-9]+)\.blob\.core\.windows\.net/(.+)", url)
    assert found is not None
    return url, f"/_blob/{found[1]}/{found[2]}"


def signed(lab: Lab, path: str, key: str, *, resource: str | None = None, **headers: str) -> Response:
    """GET with a SharedKey signature as Azure's documents tell how to make one."""
    account = path.split("/")[2]
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    ours = "".join(f"{name}:{value}\n" for name, value in sorted(named.items()) if name.startswith("x-ms-"))
    empty = "\n" * 10
    text = f"GET\n{empty}{named.get('range', '')}\n{ours}{resource or '/' + path.removeprefix('/_blob/')}"
    return lab.send("GET", path, authorization=f"SharedKey {account}:{sign(key, text)}", **headers)


@pytest.mark.parametrize("name", ["ab", "UPPER", "with-dash", "x" * 25, "umlautä"])
def test_names_are_short_and_plain(lab: Lab, name: str) -> None:
    assert refusal(lab.put(rid(STORAGE, name, group="rg-source"), NEW)) == "AccountNameInvalid"


def test_a_name_is_one_of_the_whole_world(lab: Lab) -> None:
    elsewhere = rid(STORAGE, "stsourcevhds", group="rg-expressroute")
    assert refusal(lab.put(elsewhere, {**NEW, "location": "southeastasia"}), 409) == "StorageAccountAlreadyTaken"
    check = "/subscriptions/x/providers/Microsoft.Storage/checkNameAvailability"
    said = lab.post(check, {"name": "stsourcevhds", "type": STORAGE}).body
    assert (said["nameAvailable"], said["reason"]) == (False, "AlreadyExists")
    assert lab.post(check, {"name": "free1", "type": STORAGE}).body == {"nameAvailable": True}
    assert lab.post(check, {"name": "Not Free"}).body["reason"] == "AccountNameInvalid"


def test_a_new_account_is_waited_for_and_a_change_is_not(lab: Lab) -> None:
    url = rid(STORAGE, "stnew", group="rg-source")
    answer = lab.put(url, NEW)
    assert answer.status == 202 and answer.body is None and "/asyncoperations/" in answer.headers["location"]
    waiting = lab.get(answer.headers["location"])
    assert waiting.status == 202
    end = lab.follow(answer)
    assert end.status == 200 and end.body["properties"]["provisioningState"] == "Succeeded"
    changed = lab.put(url, {**NEW, "tags": {"a": "b"}})
    assert changed.status == 200 and changed.body["tags"] == {"a": "b"}
    patched = lab.patch(url, {"properties": {"allowBlobPublicAccess": False}, "tags": {"a": "c"}})
    assert patched.status == 200 and patched.body["properties"]["allowBlobPublicAccess"] is False
    assert patched.body["sku"] == {**NEW["sku"], "tier": "Standard"} and patched.body["tags"] == {"a": "c"}
    assert lab.delete(url).status == 200 and lab.get(url).status == 404


def test_keys_are_two_and_the_accounts_own(lab: Lab) -> None:
    first = keys(lab)
    assert len(set(first)) == 2 and keys(lab) == first
    lab.made(rid(STORAGE, "stnew", group="rg-source"), NEW)
    assert not set(first) & set(keys(lab, rid(STORAGE, "stnew", group="rg-source")))
    assert not set(first) & set(keys(example_lab(seed=2)))
    assert "key" not in str(lab.body(ACCOUNT)["properties"].get("keys", ""))


def test_a_blob_is_read_by_ranges_with_either_key(lab: Lab) -> None:
    lab.wait(minutes=10)
    lab.follow(lab.post(FILE1 + "/deallocate"))
    url, path = blob(lab)
    last = lab.get(f"/_lab/writes?disk={url}&limit=100000").body["value"][-1]
    span = f"bytes={last['offset']}-{last['offset'] + 4095}"
    got = [signed(lab, path, key, range=span, x_ms_version="2021-08-06") for key in keys(lab)]
    assert [answer.status for answer in got] == [206, 206] and got[0].body == got[1].body
    assert got[0].body.strip(b"\0") and got[0].headers["x-ms-blob-type"] == "PageBlob"
    plain = lab.send("GET", path, authorization=f"AccountKey {keys(lab)[0]}", x_ms_range=span)
    assert plain.body == got[0].body
    # Clients that are pointed at an address of this form sign its path as it stands.
    assert signed(lab, path, keys(lab)[0], resource="/stsourcevhds" + path, range=span).status == 206


def test_a_wrong_key_reads_nothing(lab: Lab) -> None:
    _, path = blob(lab)
    good = keys(lab)[0]
    wrong = keys(example_lab(seed=2))[0]
    for answer in (
        signed(lab, path, wrong, range="bytes=0-511"),
        signed(lab, path, good, range="bytes=0-511", resource="/stsourcevhds/vhds/other.vhd"),
        lab.send("GET", path, range="bytes=0-511"),
        lab.send("GET", path, authorization=f"AccountKey {wrong}"),
        lab.send("GET", path, authorization="Bearer a.b.c"),
        lab.send("GET", path, authorization="SharedKey"),
        lab.send("GET", path, authorization=f"SharedKey other:{good}"),
    ):
        assert answer.status == 403 and answer.headers["x-ms-error-code"] == "AuthenticationFailed"
        assert b"<Code>AuthenticationFailed</Code>" in answer.body
    # A signature covers the range that was asked for.
    account = path.split("/")[2]
    text = "GET\n" + "\n" * 10 + "bytes=0-511\n/" + path.removeprefix("/_blob/")
    header = f"SharedKey {account}:{sign(good, text)}"
    assert lab.send("GET", path, authorization=header, range="bytes=0-511").status == 206
    assert lab.send("GET", path, authorization=header, range="bytes=0-1023").status == 403


def test_what_is_not_there_is_not_found(lab: Lab) -> None:
    key = keys(lab)[0]
    assert signed(lab, "/_blob/stsourcevhds/vhds/none.vhd", key).status == 404
    assert signed(lab, "/_blob/nobody/vhds/none.vhd", key).status == 404
    assert lab.ask("GET", "/_blob") is not None


def test_the_list_of_pages_names_what_was_written_and_nothing_else(lab: Lab) -> None:
    lab.wait(minutes=10)
    lab.follow(lab.post(FILE1 + "/deallocate"))
    _, path = blob(lab)
    key = f"AccountKey {keys(lab)[0]}"
    listed = lab.send("GET", path + "?comp=pagelist", authorization=key).body.decode()
    spans = [(int(a), int(b)) for a, b in re.findall(r"<Start>(\d+)</Start><End>(\d+)</End>", listed)]
    assert spans == sorted(spans) and all(a % 4096 == 0 and (b + 1) % 4096 == 0 for a, b in spans)
    size = int(lab.send("HEAD", path, authorization=key).headers["content-length"])
    edge = spans[0][1] + 1
    assert edge < size
    for start, end in spans[:3]:
        data = lab.send("GET", path, authorization=key, x_ms_range=f"bytes={start}-{end}").body
        assert all(data[at : at + 4096].strip(b"\0") for at in range(0, len(data), 4096))
    gap = lab.send("GET", path, authorization=key, x_ms_range=f"bytes={edge}-{edge + 4095}").body
    assert gap == bytes(4096)


def test_an_account_of_a_lost_region_is_silent(lab: Lab) -> None:
    _, path = blob(lab)
    key = f"AccountKey {keys(lab)[0]}"
    lab.fault(kind="region", region="eastasia", state="lost")
    assert lab.ask("GET", path, authorization=key) is None
    assert lab.ask("POST", ACCOUNT + "/listKeys") is None


def test_an_account_with_copies_elsewhere_says_where(lab: Lab) -> None:
    """Recorded: the region's pair; an account of one region says nothing."""
    for sku, elsewhere in (
        ("Standard_RAGRS", "southeastasia"),
        ("Standard_GZRS", "southeastasia"),
        ("Standard_LRS", None),
    ):
        url = rid(STORAGE, f"kept{sku[9:].lower()}", group="rg-source")
        sent = {"location": "eastasia", "kind": "StorageV2", "sku": {"name": sku}, "properties": {}}
        assert lab.made(url, sent)["properties"].get("secondaryLocation") == elsewhere
