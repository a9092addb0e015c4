"""Texts that have the form of a credential: detect-secrets' detectors, kept from slow texts.

Several of its patterns are quadratic: its JWT detector takes half a minute for 256 KiB of `eyJeyJ`.
Those, and the slower ones, see only short pieces around what no such credential is without.
Left out are detectors that ordinary words set off (Artifactory's `AP...`), that find no credentials
(public IP addresses), or that look for `password = "..."`, for which `credentials` reads the keys.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import accumulate
from typing import Final

MAX_PIECES: Final = 100
"""So many pieces are looked into for one pattern; one more is taken for a credential unseen."""

_GITLAB: Final = r"(?:gl(?:pat|dt|ft|soat|rt|cbt|imt|ptt|agent|oas)-|GR1348941)[\w-]{20,1024}+"
# A pattern whose letters come first and what must not stand before them after is found ten times
# as fast as one that begins with a look behind.
_DISCORD: Final = r"[MNO](?<![\w-][MNO])[\w-]{23,25}\.[\w-]{6}\.[\w-]{27}"
_JWT: Final = r"eyJ(?<![\w-]eyJ)[A-Za-z0-9_-]++={0,2}\.[A-Za-z0-9_-]++={0,2}"
_MAILCHIMP: Final = r"-us(?<=[0-9a-z]{32}-us)[0-9]{1,2}"
_TELEGRAM: Final = r"[0-9](?<![0-9]{2})[0-9]{7,9}:[\w-]{35}"

_OTHER_TOKENS: Final = tuple(
    re.compile(rf"{prefix}(?<![A-Za-z0-9_]{prefix}){rest}(?![A-Za-z0-9])")
    for prefix, rest in (
        ("sym_", r"[0-9A-Za-z]{40,60}"),  # this service's own
        ("github_pat_", r"[0-9A-Za-z_]{60,90}"),
        ("sk-ant-", r"[0-9A-Za-z_-]{32,200}"),
        ("sk-proj-", r"[0-9A-Za-z_-]{40,200}"),
        ("sk-svcacct-", r"[0-9A-Za-z_-]{40,200}"),
        ("AIza", r"[0-9A-Za-z_-]{35}"),
        ("ya29\\.", r"[0-9A-Za-z_-]{40,200}"),
        ("hf_", r"[0-9A-Za-z]{34}"),
        ("npm_", r"[0-9A-Za-z]{36}"),
        ("xapp-", r"\d-[0-9A-Z]{8,14}-\d{8,16}-[0-9a-f]{64}"),
    )
)
"""Kinds that detect-secrets 1.5 does not know, by the prefixes that their makers document."""


@dataclass(frozen=True, slots=True)
class Detector:
    """Finds one kind of credential."""

    kind: str
    patterns: tuple[re.Pattern[str], ...]
    """What none is without; each is fast on any text."""
    finds: Callable[[str], Iterable[str]]
    """What looks closely at a piece that has it."""
    before: int = 0
    """How many characters before such a piece belong to it."""

    def positions(self, text: str) -> Iterator[int]:
        """Where in the text there seems to be one."""
        for pattern in self.patterns:
            for count, found in enumerate(pattern.finditer(text)):
                piece = text[max(0, found.start() - self.before) : found.end()]
                if count >= MAX_PIECES or self._is_one(piece):
                    yield found.start()
                if count >= MAX_PIECES:
                    break

    def _is_one(self, piece: str) -> bool:
        try:
            return any(True for _ in self.finds(piece))
        except RecursionError:  # a JWT's payload is parsed as JSON, and may be nested
            return False


@cache
def detectors() -> tuple[Detector, ...]:
    """The detectors, made at the first call; nothing of them is loaded with this module."""
    from detect_secrets.plugins.aws import AWSKeyDetector
    from detect_secrets.plugins.azure_storage_key import AzureStorageKeyDetector
    from detect_secrets.plugins.base import RegexBasedDetector
    from detect_secrets.plugins.basic_auth import BasicAuthDetector
    from detect_secrets.plugins.discord import DiscordBotTokenDetector
    from detect_secrets.plugins.github_token import GitHubTokenDetector
    from detect_secrets.plugins.gitlab_token import GitLabTokenDetector
    from detect_secrets.plugins.jwt import JwtTokenDetector
    from detect_secrets.plugins.mailchimp import MailchimpDetector
    from detect_secrets.plugins.npm import NpmDetector
    from detect_secrets.plugins.openai import OpenAIDetector
    from detect_secrets.plugins.private_key import PrivateKeyDetector
    from detect_secrets.plugins.pypi_token import PypiTokenDetector
    from detect_secrets.plugins.sendgrid import SendGridDetector
    from detect_secrets.plugins.slack import SlackDetector
    from detect_secrets.plugins.square_oauth import SquareOAuthDetector
    from detect_secrets.plugins.stripe import StripeDetector
    from detect_secrets.plugins.telegram_token import TelegramBotTokenDetector
    from detect_secrets.plugins.twilio import TwilioKeyDetector

    def made(
        plugin: type[RegexBasedDetector], mark: str | None = None, before: int = 0
    ) -> Detector:
        made = plugin()
        patterns = tuple(made.denylist) if mark is None else (re.compile(mark),)
        return Detector(made.secret_type, patterns, made.analyze_string, before)

    return (
        made(PrivateKeyDetector),
        made(AWSKeyDetector, r"(?:A3T[A-Z0-9]|ABIA|ACCA|AKIA|ASIA)[0-9A-Z]{16}"),
        made(AzureStorageKeyDetector),
        made(BasicAuthDetector),
        made(DiscordBotTokenDetector, _DISCORD),
        made(GitHubTokenDetector),
        made(GitLabTokenDetector, _GITLAB),
        made(JwtTokenDetector, _JWT),
        made(MailchimpDetector, _MAILCHIMP, 32),
        made(NpmDetector, r":_authToken=\s?[\w-]{36}", 200),
        made(OpenAIDetector, r"T3BlbkFJ[A-Za-z0-9]{20}", 200),
        made(PypiTokenDetector),
        made(SendGridDetector),
        made(SlackDetector),
        made(SquareOAuthDetector),
        made(StripeDetector),
        made(TelegramBotTokenDetector, _TELEGRAM),
        made(TwilioKeyDetector),
        Detector("Access Token", _OTHER_TOKENS, lambda piece: (piece,)),
    )


def credentials_in(texts: Sequence[str]) -> dict[int, str]:
    """The positions of the texts that seem to hold a credential, each with its kind.

    All are looked through at once: a call for each of thousands of texts would take too long.
    """
    joined = "\n".join(texts)
    ends = list(accumulate(len(text) + 1 for text in texts))
    kinds: dict[int, str] = {}
    for detector in detectors():
        for position in detector.positions(joined):
            kinds.setdefault(bisect_right(ends, position), detector.kind)
    return kinds
