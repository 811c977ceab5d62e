"""farshore.yaml's `checks` and `raise_bandwidth`: what they say, what is refused and where."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from farshore import examples, schemas
from farshore.errors import InputError
from farshore.estate.checks import HERE, ITSELF, Check, Command, Http, Script, Tcp
from farshore.estate.estate import Estate
from farshore.estate.project_reading import parse_project

SMALL = """\
version: 1
source: {region: eastasia}
target: {region: southeastasia}
topology: two-circuits-two-locations
sites:
  - name: datacenter
    asn: 65010
    prefixes: [192.168.0.0/16]
    routers:
      - {name: ce1, circuit: er-hongkong}
      - {name: ce2, circuit: er-singapore}
"""
CHECKS = """\
machines: {boot_order: [[db1], ["web*"]]}
checks:
  - {name: db listens, machines: db1, tcp: 1433, from: web1, timeout_seconds: 2.5, within_minutes: 1}
  - name: web answers
    wave: 2
    http: {port: 8443, path: /health, status: [200, 204], https: true, host: www.example.com}
  - {name: its own, machines: ["web*", db1], script: "systemctl is-active web"}
  - {name: ours, command: [./check, --fast]}
raise_bandwidth:
  - {circuit: er-singapore, mbps: 1000}
"""
JUNK = st.sampled_from([None, True, 0, -1, 2.5, "", "text", "/a b", "here", [], ["x"], {}, {"x": 1}])
VALIDATOR = jsonschema.Draft202012Validator(schemas.read("project"))


def checks(text: str, folder: Path | None = None) -> tuple[Check, ...]:
    return parse_project(SMALL + text, folder=folder).checks


def refused(text: str, estate: Estate | None = None) -> InputError:
    with pytest.raises(InputError) as caught:
        project = parse_project(text)
        if estate is not None:
            project.resolved(estate)
    return caught.value


def test_what_checks_say() -> None:
    db, web, own, ours = checks(CHECKS)
    assert db == Check(
        name="db listens",
        asks=Tcp(port=1433),
        machines=("db1",),
        asker="web1",
        timeout=timedelta(seconds=2.5),
        within=timedelta(minutes=1),
    )
    assert web.wave == 2 and web.machines == ("*",) and web.asker == HERE
    assert web.asks == Http(port=8443, path="/health", status=(200, 204), https=True, host="www.example.com")
    assert own.asks == Script(text="systemctl is-active web") and own.asker == ITSELF
    assert ours.asks == Command(words=("./check", "--fast")) and ours.slug == "ours"
    assert checks("") == (), "nothing is asked that nobody asked for: an objective's ports are no checks"
    VALIDATOR.validate(yaml.safe_load(SMALL + CHECKS))


def test_an_http_check_without_more_asks_the_root_at_the_usual_port() -> None:
    plain, secure = checks("checks: [{name: a, http: {path: /}}, {name: b, http: {https: true}}]")
    assert plain.asks == Http(port=80) and secure.asks == Http(port=443, https=True)


def test_a_script_is_read_from_the_projects_folder(tmp_path: Path) -> None:
    (tmp_path / "db.sh").write_text("#!/bin/bash\nexit 0\n")
    (found,) = checks("checks: [{name: a, script: {file: db.sh}}]", tmp_path)
    assert found.asks == Script(text="#!/bin/bash\nexit 0\n", file="db.sh")
    (unread,) = checks("checks: [{name: a, script: {file: db.sh}}]")
    assert unread.asks == Script(text=None, file="db.sh")


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ("{name: a}", "a check asks one thing"),
        ("{name: a, tcp: 443, http: {port: 80}}", "a check asks one thing"),
        ("{name: a, tpc: 443}", "unknown key tpc"),
        ("{name: a, tcp: 0}", "out of range"),
        ("{name: a, tcp: tcp/443}", "no whole number"),
        ("{name: a, http: {prot: 443}}", "unknown key prot"),
        ("{name: a, http: {path: health}}", "no path"),
        ("{name: a, http: {path: '/a b'}}", "no path"),
        ("{name: a, http: {host: 'a b'}}", "no host"),
        ("{name: a, http: {status: 99}}", "out of range"),
        ("{name: a, http: {verify: false}}", "no certificate without https"),
        ("{name: a, tcp: 1, machines: [x], wave: 1}", "some machines or of a wave"),
        ("{name: a, tcp: 1, wave: 2}", "out of range"),
        ("{name: a, script: true}", "a text must stand here"),
        ("{name: a, script: x, from: here}", "a script runs in a machine"),
        ("{name: a, script: x, timeout_seconds: 5}", "a script bounds its own time"),
        ("{name: a, script: {fiel: x}}", "unknown key fiel"),
        ("{name: a, script: '#!/usr/bin/env python3'}", "is no shell"),
        ("{name: a, command: []}", "the list is empty"),
        ("{name: a, command: [x], from: web1}", "a command runs where Farshore does"),
        ("{name: a, tcp: 1, timeout_seconds: 0}", "does not fit"),
        ("{name: a, tcp: 1, timeout_seconds: 601}", "too long"),
        ("{name: a, tcp: 1, within_minutes: 1441}", "too long"),
    ],
)
def test_what_no_check_can_be(row: str, said: str) -> None:
    error = refused(SMALL + f"checks:\n  - {row}\n")
    assert said in error.message and error.line == 13, error
    assert error.expected and error.remedy


def test_two_checks_whose_steps_would_have_one_name() -> None:
    error = refused(SMALL + "checks:\n  - {name: a b, tcp: 1}\n  - {name: a-b, tcp: 1}\n")
    assert "one name" in error.message and error.line == 14


@pytest.mark.parametrize("content", [b"\0", b"", b"\xff\xfea", b"#!/usr/bin/perl\n", b"a" * 70_000])
def test_a_file_that_is_no_script(content: bytes, tmp_path: Path) -> None:
    (tmp_path / "x.sh").write_bytes(content)
    with pytest.raises(InputError) as caught:
        checks("checks:\n  - {name: a, script: {file: x.sh}}\n", tmp_path)
    assert caught.value.line == 13 and caught.value.expected
    with pytest.raises(InputError, match="is not there"):
        checks("checks:\n  - {name: a, script: {file: y.sh}}\n", tmp_path)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("raise_bandwidth: [{circuit: er-singapore, mbps: 300}]", "no circuit has 300 Mbps (E3)"),
        ("raise_bandwidth: [{circuit: er-singapore}]", "mbps is missing"),
        ("raise_bandwidth: [{circuit: a, mbps: 50}, {circuit: A, mbps: 50}]", "raised twice"),
        ("raise_bandwidth: {er-singapore: 100}", "a list must stand here"),
        ("raise_bandwidth: [{circuit: er-nowhere, mbps: 100}]", "the estate has no circuit er-nowhere"),
        ("checks: [{name: a, tcp: 1, from: web7}]", "no machine is called web7"),
        ("checks: [{name: a, tcp: 1, from: 'web*'}]", "2 machines are called web*"),
        ("checks: [{name: a, tcp: 1, machines: [web7]}]", "no machine of the estate is called web7"),
    ],
)
def test_what_the_estate_does_not_have(text: str, said: str) -> None:
    _, estate = examples.read(examples.PUBLISHED)
    assert said in refused(SMALL + text + "\n", estate).message


def test_a_raised_circuit_is_found_by_its_name() -> None:
    _, estate = examples.read(examples.PUBLISHED)
    project = parse_project(SMALL + "raise_bandwidth: [{circuit: er-singapore, mbps: 1000}]").resolved(estate)
    (raised,) = project.raise_bandwidth
    assert estate.express_route_circuit(raised.circuit) is not None and raised.mbps == 1000
    assert project.resolved(estate) == project


def test_the_load_of_a_site() -> None:
    text = SMALL + "    load_mbps: 800\n"
    assert parse_project(text).loads == (("datacenter", 800.0),) and parse_project(SMALL).loads == ()
    assert "does not fit" in refused(SMALL + "    load_mbps: -1\n").message


@settings(max_examples=300)
@given(st.data())
def test_what_the_reader_takes_the_schema_takes(data: st.DataObject) -> None:
    """One value of the checks is replaced by junk: where the reader is content the schema is, and neither fails in any
    other way than by saying so."""
    document = yaml.safe_load(SMALL + CHECKS)
    holder: Any = {key: document[key] for key in ("checks", "raise_bandwidth")}
    top = holder
    while True:
        key = data.draw(st.sampled_from(list(holder) if isinstance(holder, dict) else list(range(len(holder)))))
        inner = holder[key]
        if isinstance(inner, dict | list) and inner and data.draw(st.booleans()):
            holder = inner
            continue
        holder[key] = data.draw(JUNK)
        break
    document |= top
    try:
        parse_project(yaml.safe_dump(document, sort_keys=False))
    except InputError as error:
        assert error.line is not None and error.expected
    else:
        VALIDATOR.validate(document)
