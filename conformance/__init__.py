"""The lab beside the real thing: recorded exchanges sent again, and the examples of Azure's own description.

python -m conformance replay [FILES or DIR] [--differences]
python -m conformance examples [DIR] [--differences]

recordings    one line of a recording as a value; which resources a recording finds there already
scope         what of a recording the lab is not meant to have, with reasons
names         what the service made up then, and what the lab made up now
compare       two answers: statuses, polling headers, key paths and types, words, ids, error codes
standing      resources that a recording needs and never made
replay        a recording sent to a fresh lab, its clock at each row's date, its polls driven to their end
examples      request examples accepted, answers shaped as the examples are
beside        what stands beside an example of Microsoft.Network, protecting: what stands under one of Site Recovery
accepted      which statuses Azure's own clients take for an operation
on_purpose    differences that are meant, each with its reason
report        the printed table
"""
