"""Where an authenticated person sees and decides what waits. Mounted by ``pages.console_routes``.

::

    pages.py       the routes, and nothing but the order of the checks
    browser.py     what a browser must prove (Host, Origin, Sec-Fetch-Site), bounded forms, headers, the cookie
    login.py       one-time links -> Person          session.py    Person <-> cookie
    permission.py  may this person? (the policy)     decide.py     approve or refuse, by compare-and-set
    render.py      frozen values -> HTML             spelling.py   look-alike and invisible characters, marked
"""
