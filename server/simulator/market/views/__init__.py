"""Renders the market as the broker's JSON.

Keys are dashed, decimals are strings, and the order of keys is that of the recorded samples.
"""
