"""What happened, one record per call and phase, in a file that shows whether it was changed.

``ledger`` is what the walk holds; ``record`` is the value; ``chain`` and ``checkpoint`` make it
tamper-evident; ``sink`` and ``file_sink`` write it; ``verify`` checks it; ``format`` shows it.
"""
