"""The verbs that a step can use, by name: one file for each. `plan/actions.py` has the arguments that each takes."""

from __future__ import annotations

from collections.abc import Mapping

from farshore.errors import InputError
from farshore.run.verbs.await_region import AwaitRegion
from farshore.run.verbs.base import Verb
from farshore.run.verbs.change_names import ChangeNames
from farshore.run.verbs.change_point import ChangePoint
from farshore.run.verbs.check_clean import CheckClean
from farshore.run.verbs.check_command import CheckCommand
from farshore.run.verbs.check_machine import CheckMachine
from farshore.run.verbs.check_routes import CheckRoutes
from farshore.run.verbs.check_script import CheckScript
from farshore.run.verbs.commit import Commit
from farshore.run.verbs.configure_item import ConfigureItem
from farshore.run.verbs.deallocate import Deallocate
from farshore.run.verbs.delete import Delete
from farshore.run.verbs.enable_replication import EnableReplication
from farshore.run.verbs.failover import Failover
from farshore.run.verbs.person import Person
from farshore.run.verbs.probe import Probe
from farshore.run.verbs.put import Put
from farshore.run.verbs.raise_bandwidth import RaiseBandwidth
from farshore.run.verbs.read_circuit import ReadCircuit
from farshore.run.verbs.reprotect_unmanaged import ReprotectUnmanaged
from farshore.run.verbs.shared_point import SharedPoint
from farshore.run.verbs.site_change import SiteChange
from farshore.run.verbs.start import Start
from farshore.run.verbs.switch_protection import SwitchProtection
from farshore.run.verbs.test_failover import TestFailover
from farshore.run.verbs.test_failover_cleanup import TestFailoverCleanup

_ALL: tuple[Verb, ...] = (
    AwaitRegion(),
    ChangeNames(),
    ChangePoint(),
    CheckClean(),
    CheckCommand(),
    CheckMachine(),
    CheckRoutes(),
    CheckScript(),
    Commit(),
    ConfigureItem(),
    Deallocate(),
    Delete(),
    EnableReplication(),
    Failover(),
    Person(),
    Probe(),
    Put(),
    RaiseBandwidth(),
    ReadCircuit(),
    ReprotectUnmanaged(),
    SharedPoint(),
    SiteChange(),
    Start(),
    SwitchProtection(),
    TestFailover(),
    TestFailoverCleanup(),
)

VERBS: Mapping[str, Verb] = {verb.name: verb for verb in _ALL}


def verb_named(name: str) -> Verb:
    """The verb of an action; raises `InputError` for one that this version does not have."""
    found = VERBS.get(name)
    if found is None:
        raise InputError(f"There is no verb {name}", value=name, expected="one of " + ", ".join(sorted(VERBS)))
    return found
