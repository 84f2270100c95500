"""Serves a tenant's market data: one connection to DXLink, any number of readers.

Nothing here is ever shared between tenants: market data is licensed to one customer.
"""
