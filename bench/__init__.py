"""What Farshore costs: seconds, memory and growth, measured on estates made for it (`make bench`).

    rows.py      what is measured, and what it may cost
    one.py       one measurement, in a process of its own
    changes.py   one change at a time, each proven again
    routers.py   the same forwarding tables as plain routers' configurations, for other verifiers
    growth.py    how the cost grows with the number of networks
    __main__.py  all of it, as text and as JSON

A machine's speed comes and goes, so every figure stands beside what was counted to get it (cells, failures), every
time is the median of several processes, and growth is measured over doublings in one go.
"""
