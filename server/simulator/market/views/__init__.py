"""The market in the broker's JSON: dashed keys, decimals as strings, in the recorded order."""
