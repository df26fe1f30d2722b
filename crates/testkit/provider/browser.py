"""A person with a browser at a provider's real pages: `browser.py URL WHO approve|deny`.

It goes where a form leads, fills in who it is, and agrees to everything, or aborts where the
page for that asks whether the code is right. The code itself is in the URL.
"""

import http.cookiejar
import html.parser
import sys
import urllib.error
import urllib.parse
import urllib.request


class Forms(html.parser.HTMLParser):
    """The last form of a page: where it goes, and what is in it."""

    def __init__(self):
        super().__init__()
        self.action = None
        self.fields = {}

    def handle_starttag(self, tag, attrs):
        attrs = dict(attrs)
        if tag == "form" and attrs.get("method", "").lower() == "post":
            self.action, self.fields = attrs.get("action"), {}
        elif tag == "input" and attrs.get("name"):
            self.fields[attrs["name"]] = attrs.get("value", "")


def main():
    url, who, decision = sys.argv[1:]
    opener = urllib.request.build_opener(
        urllib.request.ProxyHandler({}),
        urllib.request.HTTPCookieProcessor(http.cookiejar.CookieJar()),
    )
    data = None
    for _ in range(10):
        try:
            with opener.open(url, data, timeout=20) as response:
                url, page = response.url, response.read().decode()
        except urllib.error.HTTPError as error:
            url, page = error.url, error.read().decode()
        if "Sign-in Success" in page:
            return print("approved")
        if "request was interrupted" in page:
            return print("denied")
        forms = Forms()
        forms.feed(page)
        if forms.action is None:
            sys.exit(f"a page without a form at {url}:\n{page}")
        fields = forms.fields
        if "confirm" in fields and decision == "deny":
            del fields["confirm"]
            fields["abort"] = "yes"
        if "login" in fields:
            fields["login"], fields["password"] = who, "any"
        url = urllib.parse.urljoin(url, forms.action)
        data = urllib.parse.urlencode(fields).encode()
    sys.exit(f"it does not end; the last page, {url}:\n{page}")


main()
