"""Every operation that the lab has, asked with anything: an answer in the provider's own form and never a failure of
the lab, no word of Python's, nothing changed by a write that is refused, and what was taken is there.

`make fuzz EXAMPLES=100000` goes on; a failure is shown in its smallest form, as the request that went over the wire.
"""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from farshore.arm.json import dumps
from farshore.lab import registry
from lab.fuzz import corpus, mangling, rules
from lab.fuzz.mangling import Case
from lab.fuzz.rig import Rig, Sent, digest, rig
from lab.fuzz.settings import LONG, fuzz
from lab.fuzz.table import Operation, operations


def test_the_table_is_the_registry() -> None:
    """Whoever registers something is asked as well."""
    there = {(operation.method, operation.type.lower(), operation.tail.lower()) for operation in operations()}
    for name in registry.TYPES:
        assert {(method, name, "") for method in ("GET", "PUT", "PATCH", "DELETE", "HEAD")} <= there
    assert {("POST", *key) for key in registry.ACTIONS} <= there
    assert {("GET", *key) for key in (*registry.VIEWS, *registry.NAMED_VIEWS)} <= there
    assert {(method, "", f"/{path.lower()}") for method, path in registry.HANDLES} <= there
    assert {("GET", name, "") for name in registry.PROVIDER_LISTS} <= there


def test_there_is_something_of_almost_every_type() -> None:
    held = {name for name, ids in corpus.ids().items() if ids}
    absent = {kind.type for name, kind in registry.TYPES.items() if name not in held}
    assert absent <= NONE_OF, f"the estate of the fuzz tests has none of {absent - NONE_OF}"


NONE_OF = {
    # Asked of something, and listed by nobody.
    "Microsoft.Automation/automationAccounts/runbooks/draft",
    "Microsoft.Resources/tags",
    "Microsoft.Authorization/permissions",
    "Microsoft.RecoveryServices/replicationEligibilityResults",
    "Microsoft.RecoveryServices/vaults/replicationVaultHealth",
    "Microsoft.RecoveryServices/vaults/replicationFabrics/replicationNetworks",
    # Made by what the estate has not: a program at work, a failover of a cluster, a balancer of scale sets.
    "Microsoft.Automation/automationAccounts/jobs/streams",
    "Microsoft.RecoveryServices/vaults/replicationFabrics/replicationProtectionContainers/replicationProtectionClusters"
    "/recoveryPoints",
    "Microsoft.Network/loadBalancers/inboundNatPools",
    "Microsoft.Network/loadBalancers/outboundRules",
}


def test_every_read_as_it_should_be_asked() -> None:
    """No chance in it: each read of what is there, and of what could be."""
    with rig() as lab:
        before = digest(lab.cloud)
        for operation in operations():
            if operation.method in ("GET", "HEAD"):
                for path in _paths(operation):
                    rules.holds(lab, Case(operation=operation, sent=Sent(method=operation.method, path=path)))
        assert digest(lab.cloud) == before


@pytest.mark.parametrize("method", ["PUT", "PATCH", "POST", "DELETE"])
def test_every_write_as_it_should_be_asked(method: str) -> None:
    for operation in _writes(method):
        body = corpus.of(operation)[-1]
        for path in _paths(operation)[:1]:
            sent = Sent(method=method, path=path, content=b"" if method == "DELETE" else dumps(body))
            case = Case(operation=operation, sent=sent, target=path if operation.at == "resource" else "")
            with rig() as lab:
                _asked(lab, case)


def _writes(method: str) -> list[Operation]:
    """Of types that are shape only one in sixteen: they have one life. The long form has them all."""
    found = [each for each in operations() if each.method == method and not each.argument]
    kinds = [registry.TYPES.get(each.type.lower()) for each in found]
    shapes = [each for each, kind in zip(found, kinds, strict=True) if kind is not None and kind.shape_only]
    return [each for each in found if LONG or each not in shapes or shapes.index(each) % 16 == 0]


def _paths(operation: Operation) -> list[str]:
    if operation.at == "path":
        return [operation.tail]
    found = mangling.targets(operation)
    return [f"{path}/{operation.tail}" if operation.tail else path for path in (found[0], found[-1])]


def _asked(lab: Rig, case: Case) -> None:
    answer = rules.holds(lab, case)
    if not answer.ok or case.sent.method in ("GET", "HEAD") or not case.target:
        return
    if case.sent.method == "POST" or case.operation.tail:
        rules.followed(lab, answer)
    else:
        rules.ends_well(lab, case, answer)


@fuzz()
@given(mangling.requests())
def test_whatever_is_asked_is_answered(case: Case) -> None:
    with rig() as lab:
        _asked(lab, case)


@fuzz(share=3)
@given(st.data())
def test_whatever_is_asked_while_something_is_under_way(data: st.DataObject) -> None:
    """An operation runs on what is asked for, or its region is lost: what is refused then changes nothing either."""
    case = data.draw(mangling.requests(mangling.of_resources("PUT", "PATCH", "POST", "DELETE")))
    with rig() as lab:
        if data.draw(st.booleans()):
            first = data.draw(mangling.plain(mangling.on_the_same(case)))
            rules.holds(lab, first)
            case = data.draw(st.sampled_from((case, first)))
            answer = rules.holds(lab, case)
            rules.followed(lab, answer)
        else:
            region = data.draw(st.sampled_from(("eastasia", "southeastasia")))
            lost = dumps({"kind": "region", "region": region, "state": "lost"})
            assert lab.send(Sent(method="POST", path="/_lab/faults", query="", content=lost)).ok
            rules.holds(lab, case, lost=True)
        lab.wait(minutes=20)
