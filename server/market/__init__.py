"""Market data of a tenant: one connection to DXLink, many readers.

Nothing here is ever shared between tenants: market data is licensed to one customer.
"""
