"""Who may do what: access tokens of the hub, tokens of Keystone."""

import secrets
from dataclasses import dataclass, field

from tests.chameleon.lookalike.resources import EVER, Project, User

TOKEN_SECONDS = 8 * 3600
ACCESS_SECONDS = 3600


@dataclass
class Token:
    """Keystone's: for a user, in a project or in none."""

    user: User
    project: Project | None
    method: str
    issued: float
    id: str = field(default_factory=lambda: secrets.token_urlsafe(24))
    uses: float = EVER
    """How many requests it is still good for."""

    @property
    def expires(self) -> float:
        """Unix seconds."""
        return self.issued + TOKEN_SECONDS


@dataclass
class Tokens:
    """All that were given out.

    Attributes:
        uses: requests that a new token of Keystone is good for.
        login_expired: whether the hub's access tokens are refused, until the user logs in again.
    """

    uses: float = EVER
    login_expired: bool = False
    hub: str = "the-hub-knows-this-notebook-server"
    _access: dict[str, tuple[str, float]] = field(default_factory=dict)
    _issued: dict[str, Token] = field(default_factory=dict)

    def access(self, user: str, now: float) -> tuple[str, float]:
        """A fresh access token for a user, and when it expires."""
        token = secrets.token_urlsafe(24)
        self._access[token] = (user, now + ACCESS_SECONDS)
        return token, now + ACCESS_SECONDS

    def user_of(self, access: str, now: float) -> str | None:
        """Whose access token this is; nobody's when it has expired."""
        user, expires = self._access.get(access, ("", 0.0))
        return user if now < expires and not self.login_expired else None

    def issue(self, user: User, project: Project | None, method: str, now: float) -> Token:
        """A token of Keystone."""
        token = Token(user, project, method, now, uses=self.uses)
        self._issued[token.id] = token
        return token

    def find(self, id: str, now: float) -> Token | None:
        """The token, if it is still good."""
        token = self._issued.get(id)
        return token if token and now < token.expires and token.uses > 0 else None

    def spend(self, token: Token) -> None:
        """Count a request."""
        token.uses -= 1
