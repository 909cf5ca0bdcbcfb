"""The last step before the network: where credentials are added, so that nothing above ever holds or shows them."""

from dataclasses import dataclass

import httpx
from pydantic import SecretStr


@dataclass(frozen=True, slots=True)
class Credential:
    """A secret that goes with each request, in a header or in the query. `template` surrounds it: `Bearer {}`."""

    secret: SecretStr
    header: str | None = None
    query: str | None = None
    template: str = "{}"

    def scrub(self, text: str) -> str:
        """The text without the secret, should a server have repeated it."""
        return text.replace(self.secret.get_secret_value(), "***")


class CredentialTransport(httpx.BaseTransport):
    """Sends a copy of each request with the credential in it.

    httpx logs the requests that it is given and keeps them in its exceptions; those are without.
    """

    def __init__(self, inner: httpx.BaseTransport, credential: Credential) -> None:
        self._inner = inner
        self._credential = credential

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """The server's answer to the request with the credential."""
        credential = self._credential
        value = credential.template.format(credential.secret.get_secret_value())
        url, headers = request.url, request.headers.copy()
        if credential.query is not None:
            url = url.copy_merge_params({credential.query: value})
        if credential.header is not None:
            headers[credential.header] = value
        return self._inner.handle_request(
            httpx.Request(request.method, url, headers=headers, extensions=request.extensions)
        )

    def close(self) -> None:
        """Close the connections, which are the inner transport's."""
        self._inner.close()
