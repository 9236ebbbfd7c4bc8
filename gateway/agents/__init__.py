"""Second parties that are programs, and the notices that call people. Beside the walk: no call waits for any of it.

::

    case.py            what an agent is told: the waiting call, and nothing that the first agent wrote besides
    webhook.py         an agent behind a signed webhook            signature.py   Standard Webhooks, both ways
    chat.py            an OpenAI-compatible model; prompt.txt      exchange.py    one bounded HTTP exchange
    said.py            what an agent may say: yes, no with a reason, or nothing usable
    asking.py          asks all agents about one call, in the background
    orphans.py         ends what a process that is gone was asking about
    countersigning.py  writes what they said into the waiting call, by compare-and-set, after the audit knows

    notice.py          a waiting, refused or expired call as plain text for people
    delivery.py        sends notices, in order, with retries, never for ever
    watch.py           notices when a call starts to wait and how that ends

An agent decides nothing by itself: its yes is one confirmation (``by: agent``), and the policy says what that is worth.
"""
