"""Every scenario that makes sense, carried out in the lab: estate x outage x return x posture x way over x way back.

    estates.py   one small estate for each topology: a machine in each spoke, the appliance, the gateway
    variants.py  estates with something more: zones, a second site, a pair of appliances (pair.py), a way between shores
    cells.py     the combinations, and why the others make no sense
    cell.py      one combination carried out: what it came to, in figures
    report.py    the matrix as people read it
    __main__.py  python -m matrix [--slice N --seed S] [--topology T] [--estate E] [--scenario NAME] [--jobs N]

A cell is good when its story ends good: proven, run, every packet of every second where it should be, bytes lost as the
recovery point implies, nothing left that nothing explains. Where the run stops for a person the story is that person,
and the cell says so.
"""
