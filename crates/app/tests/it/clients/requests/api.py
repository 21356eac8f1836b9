import time
import requests


class Api:
    def __init__(self, url, token):
        self.root = url.rstrip("/") + "/api/0/"
        self.session = requests.Session()
        self.session.headers["Authorization"] = "Bearer " + token

    def call(self, method, url, **options):
        """One request, again after the wait that the server asks for."""
        while True:
            response = self.session.request(method, url, timeout=30, **options)
            if response.status_code != 429:
                response.raise_for_status()
                return response
            time.sleep(int(response.headers["Retry-After"]))

    def get(self, path, **params):
        return self.call("GET", self.root + path, params=params).json()

    def walk(self, path, **params):
        """Every entry of a list, page by page."""
        response = self.call("GET", self.root + path, params=params)
        while True:
            yield from response.json()
            following = response.links["next"]
            if following["results"] != "true":
                return
            response = self.call("GET", following["url"])

    def resolve(self, org, issue):
        url = f"{self.root}organizations/{org}/issues/{issue}/"
        return self.call("PUT", url, json={"status": "resolved"}).json()

    def release(self, org, version, projects):
        url = f"{self.root}organizations/{org}/releases/"
        return self.call("POST", url, json={"version": version, "projects": projects}).json()
