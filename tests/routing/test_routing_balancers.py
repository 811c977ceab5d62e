"""Load balancers before appliances and machines: whom they lead to, and what of that can't be read."""

from __future__ import annotations

from farshore.estate.outside import Outside
from farshore.routing import Disposition, describe, judge, trace, trace_one_way
from routing.small import Net, flow, id_of
from routing.test_routing_traces import IN, hub, router, site


def test_a_load_balancer_takes_the_member_that_works_and_keeps_the_state() -> None:
    net = Net()
    hub(net, appliance="10.0.1.100")
    pool = id_of("loadBalancers", "lb") + "/backendAddressPools/all"
    for number in (1, 2):
        nic = net.machine(f"fw{number}", ("hub", "nva", f"10.0.1.{number + 3}"), forward=True)
        properties = net.bodies[nic]["properties"]["ipConfigurations"][0]["properties"]
        properties["loadBalancerBackendAddressPools"] = [{"id": pool}]
    frontend = {"privateIPAddress": "10.0.1.100", "subnet": {"id": id_of("virtualNetworks/subnets", "hub", "nva")}}
    lb = net.add("loadBalancers", "lb", frontendIPConfigurations=[{"name": "f", "properties": frontend}])
    estate = net.estate(site(router()))
    assert judge(*trace(estate, IN), through=lb).good
    first_down = estate.with_outside(Outside(down=frozenset({id_of("virtualMachines", "fw1").lower()})))
    forward, back = trace(first_down, IN)
    assert [str(id_).rsplit("/", 1)[1] for id_ in forward.appliances] == ["fw2-nic"]
    assert judge(forward, back, through=lb).good
    both = {id_of("virtualMachines", name).lower() for name in ("fw1", "fw2")}
    dead, _ = trace(estate.with_outside(Outside(down=frozenset(both))), IN)
    assert dead.disposition == Disposition.PATH_DEAD, describe(dead)


def balanced(**forward: bool) -> Net:
    """Two appliances behind a load balancer; what comes from the site passes it, what goes back passes fw2 itself."""
    net = Net()
    hub(net, appliance="10.0.1.5", gateway_routes=(("10.1.0.0/24", "10.0.1.100"),))
    pool = id_of("loadBalancers", "lb") + "/backendAddressPools/all"
    for number, name in enumerate(("fw1", "fw2")):
        nic = net.machine(name, ("hub", "nva", f"10.0.1.{number + 4}"), forward=forward.get(name, True))
        properties = net.bodies[nic]["properties"]["ipConfigurations"][0]["properties"]
        properties["loadBalancerBackendAddressPools"] = [{"id": pool}]
    frontend = {"privateIPAddress": "10.0.1.100", "subnet": {"id": id_of("virtualNetworks/subnets", "hub", "nva")}}
    net.add("loadBalancers", "lb", frontendIPConfigurations=[{"name": "f", "properties": frontend}])
    return net


def test_the_last_member_of_a_load_balancer_keeps_the_state_itself() -> None:
    """The twin showed it: with one member left, a reply that comes to that member directly meets the same state."""
    estate = balanced().estate(site(router()))
    assert judge(*trace(estate, IN)).kind == "asymmetric"
    alone = estate.with_outside(Outside(down=frozenset({id_of("virtualMachines", "fw1").lower()})))
    assert judge(*trace(alone, IN)).good
    forward, _ = trace(alone, IN)
    assert [hop.front for hop in forward.hops if hop.kind == "appliance"] == [id_of("loadBalancers", "lb").lower()]


def test_a_member_that_forwards_nothing_still_gets_its_share() -> None:
    """A probe asks whether the machine is there, not whether its NIC may forward (R24): a part of the flows is lost."""
    forward, _ = trace(balanced(fw1=False).estate(site(router())), IN)
    assert forward.disposition == Disposition.PATH_DEAD
    assert "fw1-nic has IP forwarding off" in forward.because


def test_a_frontend_leads_to_the_pool_that_its_rule_names() -> None:
    """Of two frontends and two pools; without any rule, which is half a reading, to all pools of its balancer."""
    net = Net()
    net.network("hub", "10.0.0.0/16", nva="10.0.1.0/24", app="10.0.2.0/24")
    own = id_of("loadBalancers", "lb")
    fronts, rules = [], []
    for name, last in (("one", 4), ("two", 5)):
        nic = net.machine(name, ("hub", "nva", f"10.0.1.{last}"), forward=True)
        pool = {"id": f"{own}/backendAddressPools/{name}"}
        at = net.bodies[nic]["properties"]["ipConfigurations"][0]["properties"]
        at["loadBalancerBackendAddressPools"] = [pool]
        subnet = {"id": id_of("virtualNetworks/subnets", "hub", "nva")}
        fronts.append({"name": name, "properties": {"privateIPAddress": f"10.0.1.{last + 10}", "subnet": subnet}})
        to = {"frontendIPConfiguration": {"id": f"{own}/frontendIPConfigurations/{name}"}, "backendAddressPool": pool}
        rules.append({"name": name, "properties": {**to, "protocol": "All", "frontendPort": 0, "backendPort": 0}})
    net.add("loadBalancers", "lb", frontendIPConfigurations=fronts, loadBalancingRules=rules)
    table = net.table("rt", ("10.0.2.0/24", "10.0.1.15"))
    net.network("spoke", "10.1.0.0/16", app={"addressPrefix": "10.1.0.0/24", "routeTable": table})
    net.peer("hub", "spoke")
    net.machine("vm", ("spoke", "app", "10.1.0.4"))
    net.machine("server", ("hub", "app", "10.0.2.4"))
    asked = flow(id_of("networkInterfaces", "vm-nic"), "10.1.0.4", "10.0.2.4")

    def met() -> list[str]:
        return [hop.name for hop in trace_one_way(net.estate(), asked).hops if hop.kind == "appliance"]

    assert met() == ["two-nic"]
    given = net.bodies[own]["properties"]
    given["loadBalancingRules"] = rules[:1]
    assert trace_one_way(net.estate(), asked).because == "lb has no members"
    given["loadBalancingRules"] = []
    assert met() == ["one-nic, two-nic"]


def test_who_takes_what_comes_to_a_frontend_that_can_t_be_read_is_not_known() -> None:
    net = Net()
    hub(net)
    for name, last in (("one", 4), ("two", 5)):
        nic = net.machine(name, ("hub", "nva", f"10.0.1.{last}"))
        at = net.bodies[nic]["properties"]["ipConfigurations"][0]["properties"]
        at["loadBalancerBackendAddressPools"] = [{"id": id_of("loadBalancers", "lb") + "/backendAddressPools/p"}]
    front = {"privateIPAddress": "10.0.1.100", "subnet": {"id": id_of("virtualNetworks/subnets", "hub", "nva")}}
    balancer = net.add("loadBalancers", "lb", frontendIPConfigurations=[{"name": "f", "properties": front}])
    asked = flow("dc", "192.168.1.1", "10.0.1.100")

    def ended() -> str:
        return trace_one_way(net.estate(site(router())), asked).disposition

    assert ended() == Disposition.DELIVERED
    machine = net.bodies[id_of("virtualMachines", "two")]["properties"]
    machine["instanceView"] = {"statuses": [{"code": "<param:state>"}]}
    assert ended() == Disposition.INSUFFICIENT_INFORMATION
    del machine["instanceView"]
    net.bodies[balancer]["properties"]["loadBalancingRules"] = "[parameters('rules')]"
    assert ended() == Disposition.INSUFFICIENT_INFORMATION
    net.bodies[balancer]["properties"]["loadBalancingRules"] = []
    deny = {"priority": 100, "direction": "Inbound", "access": "Deny", "protocol": "*", "sourcePortRange": "*"}
    deny |= {"sourceAddressPrefix": "*", "destinationAddressPrefix": "*", "destinationPortRange": "*"}
    group = net.add("networkSecurityGroups", "g", securityRules=[{"name": "no", "properties": deny}])
    net.bodies[id_of("networkInterfaces", "two-nic")]["properties"]["networkSecurityGroup"] = {"id": group}
    assert ended() == Disposition.DENIED, "the second member's share is lost"
