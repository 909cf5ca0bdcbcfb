"""Roles, users, grants, warehouses, integrations, resource monitors: parsed strictly, recorded, shown, not enforced."""
