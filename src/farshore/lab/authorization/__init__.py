"""Microsoft.Authorization: who may do what, and what nobody may do for now."""
