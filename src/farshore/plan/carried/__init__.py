"""What else moves with a machine, and what does not: every reference from or to it, its NICs and disks, said once.

values      one row: what refers to what, who carries it, and what a person does where nobody does
references  every reference in a body, by its path: read generally, whatever the type
rules       what each path means, in the machine, its NICs, its disks, and in what names them; first match
rows        the rows of a design
names       the records of DNS zones whose addresses change
fronts      load balancers and public addresses that the target gets ahead
cards       the steps that put on a NIC what Site Recovery has no field for
"""
