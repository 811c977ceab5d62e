"""Azure Resource Graph: queries over the lab's resources in the part of Kusto's language that this field uses.

syntax.py      texts to trees              functions.py   what expressions call
expressions.py trees to values, row by row operators.py   `| where ...` and its sisters, table to table
tables.py      what there is to query      query.py       the request, pages, and refusals
"""
