"""Goes through what scripts do with the API, while somebody else sends new issues all the time.

Arguments: the address, a token, and how many issues there are at least.
"""

import sys
import time

from api import Api

ISSUES = "organizations/acme/issues/"


def count(api):
    found = api.call("GET", api.root + ISSUES, params={"limit": 1, "query": ""})
    return int(found.headers["X-Hits"])


def wait_for_new(api, known):
    end = time.monotonic() + 20
    while (now := count(api)) <= known:
        assert time.monotonic() < end, "nothing new came in"
        time.sleep(0.02)
    return now


def walk(api, **params):
    """Walks the list, waits for new issues before each page, and finds all that were there, each once."""
    before = {issue["id"] for issue in api.walk(ISSUES, limit=100, query="")}
    known, seen = count(api), []
    for place, issue in enumerate(api.walk(ISSUES, limit=7, query="", **params)):
        seen.append(issue)
        if place % 7 == 6:
            known = wait_for_new(api, known)
    ids = [issue["id"] for issue in seen]
    assert len(ids) == len(set(ids)), f"{params}: twice: {sorted(i for i in ids if ids.count(i) > 1)}"
    assert before <= set(ids), f"{params}: missing: {sorted(before - set(ids))}"
    key = "lastSeen" if params.get("sort") != "new" else "firstSeen"
    order = [issue[key] for issue in seen]
    assert order == sorted(order, reverse=True), f"{params}: {order}"
    # What came in since the walk began is not in it, and is there: the list has grown meanwhile.
    assert count(api) > len(ids)
    return seen


def main(url, token, least):
    api = Api(url, token)
    for params in ({"sort": "new"}, {}, {"sort": "new", "environment": "prod"}):
        seen = walk(api, **params)
        assert len(seen) >= least, f"{params}: {len(seen)}"
    issue = seen[-1]["id"]
    assert api.resolve("acme", issue)["status"] == "resolved"
    assert api.get(f"{ISSUES}{issue}/")["status"] == "resolved"
    assert api.get(ISSUES, query="is:resolved")[0]["id"] == issue
    made = api.release("acme", "shop@2.0.0", ["shop"])
    assert made["version"] == "shop@2.0.0", made
    assert [r["version"] for r in api.walk("organizations/acme/releases/", per_page=1)] == ["shop@2.0.0"]


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]))
