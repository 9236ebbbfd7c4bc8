"""The ETDI identity provider: who provides a tool, and tokens that say so; its own keys, and nothing else's business.

A token of this issuer stands *inside* a tool's definition, where every client reads it (conflict C55). So it opens
nothing: it has a type and an audience of its own, no scope outside ``tool:``, and an hour to live at most.
"""
