"""Beside the walk: people look at tools as they are now, and approve or revoke them.

::

    origin.py      how far it is proven where the tool comes from, and what the inspector finds in it
    review.py      what a person is shown: the tool now, its approval, its history, and what changed
    words.py       a difference in words: everything invisible made visible, the gravest first
    deciding.py    approve, revoke, ask: looked at once more, recorded, then written
    book.py        the audit's page for that
    documents.py   a review as JSON
    routes.py      puts these two together:
    api.py         /admin/tools, for programs: a bearer token, and the admin policy
    pages.py       /console/tools, for people: a session, and the admin policy
"""
