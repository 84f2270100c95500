"""The text tables that stand beside the data: for people, and for language models.

Plain text with the contract's field names as headers, and "No data" where there is none. The
values are those of the messages, so that a table never says anything else than its list.
"""

from __future__ import annotations
