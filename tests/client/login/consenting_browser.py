"""A person's browser for the bridge to start: follows the redirects of a sign-in, as one who consents at once would."""

import sys

import httpx

if __name__ == "__main__":
    # What it prints must not reach the host: the bridge gave its standard output away before it started us.
    print("a browser that prints")
    with httpx.Client(follow_redirects=True, trust_env=False, timeout=30) as http:
        page = http.get(sys.argv[1])
    sys.exit(0 if page.status_code == 200 else 1)
