"""Code that is fetched from the network: it was not scanned, and may be another tomorrow."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import Final

from symphony_server.rules.manifest.claims import Claims, Finding
from symphony_server.rules.manifest.commands import Command, names

_DOWNLOADERS: Final = names(
    "curl wget wget2 aria2c lwp-download iwr irm invoke-webrequest invoke-restmethod"
    " start-bitstransfer bitsadmin certutil tftp ncat netcat"
)
"""Programs whose purpose is to bring something from elsewhere."""

_DOWNLOADERS_AT_THE_START: Final = names(
    "ftp sftp scp rsync nc socat telnet axel fetch http https xh lynx"
)
"""The same, but with names that are common words where they are not what is started."""

_INSTALLERS: Final = names(
    "pip pipx uv uvx poetry pdm pipenv conda mamba micromamba easy_install npm npx pnpm pnpx yarn"
    " bun bunx deno cargo go gem bundle composer cpan cpanm luarocks nuget dotnet brew apt apt-get"
    " dnf yum apk pacman snap choco winget scoop docker podman helm kubectl msiexec mshta regsvr32"
    " rundll32 install-module install-package"
)
"""Programs that run or install what an address names."""

_FETCHING_VERBS: Final = {
    "git": {"clone", "fetch", "pull", "submodule"},
    "hg": {"clone", "pull"},
    "svn": {"checkout", "co", "export"},
    "docker": {"run", "pull"},
    "podman": {"run", "pull"},
}
_INSTALL_VERBS: Final = names("install i add sync ci update upgrade get restore")
_RUNNERS_OF_PACKAGES: Final = names("npx pnpx bunx uvx")
_FROM_GITHUB: Final = names("npm pnpm yarn bun") | _RUNNERS_OF_PACKAGES
_TAKES_A_PATH: Final = names("--prefix -C --cwd --dir --workspace -w")

_ADDRESS: Final = re.compile(
    r"(?:git|hg|svn|bzr)\+"
    r"|(?<![a-z0-9+.-])[a-z][a-z0-9+.-]{1,20}://"
    r"|(?<![\w.-])[\w.-]{1,64}@[\w.-]{1,253}:[\w~/]"
    r"|(?<![\w:-])(?:github|gitlab|bitbucket|gist):[\w.-]+/",
    re.IGNORECASE,
)
_SHORTHAND: Final = re.compile(r"[A-Za-z0-9][\w.-]*/[\w.-]+(?:#\S+)?")
"""`user/repository`, which npm and its like fetch from GitHub."""

_PROGRAM_OR_ARCHIVE: Final = tuple(
    names(
        ".sh .bash .py .pyz .js .mjs .ts .rb .pl .php .ps1 .bat .cmd .exe .msi .dll .so .whl .egg"
        " .jar .wasm .deb .rpm .zip .tgz .tar .gz .bz2 .xz"
    )
)
_FETCHING_CODE: Final = re.compile(
    r"urlopen|urlretrieve|requests\.get|httpx\.|downloadstring|downloadfile|net\.webclient"
    r"|fetch\(|/dev/(?:tcp|udp)/",
    re.IGNORECASE,
)


def code_from_network(claims: Claims) -> Iterator[Finding]:
    """Commands and dependencies that bring code which nobody has looked at."""
    for hook in claims.hooks:
        if (how := _fetches(hook)) is not None:
            yield Finding(hook.loc, f"{how}; ship what is needed with the extension")
    for dependency in claims.dependencies:
        if "/" in dependency.text or ":" in dependency.text:
            yield Finding(
                dependency.loc, "takes code from an address; name a range of versions instead"
            )


def package_installs(claims: Claims) -> Iterator[Finding]:
    """Packages that a hook installs by name escape both this scan and the dependencies."""
    for hook in claims.hooks:
        if _installs(hook.programs) and _fetches(hook) is None:
            yield Finding(
                hook.loc, "installs packages; pin their versions, or ship them with the extension"
            )


def _fetches(command: Command) -> str | None:
    """How the command gets code from the network; None when it does not seem to."""
    words, programs = command.words, command.programs
    if _DOWNLOADERS.intersection(programs) or _DOWNLOADERS_AT_THE_START & command.started:
        return "downloads with a program made for that"
    for program, verbs in _FETCHING_VERBS.items():
        if program in programs and verbs.intersection(programs):
            return "fetches a repository or an image"
    if _INSTALLERS.intersection(programs) and any(map(_ADDRESS.search, words)):
        return "installs or runs code from an address"
    if _FROM_GITHUB.intersection(programs) and _installs(programs) and _names_repository(words):
        return "installs code from a GitHub repository"
    if "://" in command.text and any(map(_is_address_of_program, words)):
        return "names a program or an archive on the network"
    if _FETCHING_CODE.search(command.text):
        return "fetches from the network in its own code"
    return None


def _installs(programs: Sequence[str]) -> bool:
    """Whether packages are installed; `npm run update` starts what is there already."""
    if _RUNNERS_OF_PACKAGES.intersection(programs):
        return True
    return any(
        program in _INSTALLERS and verb in _INSTALL_VERBS
        for program, verb in pairwise(word for word in programs if not word.startswith("-"))
    )


def _names_repository(words: Sequence[str]) -> bool:
    return any(
        _SHORTHAND.fullmatch(word) and before not in _TAKES_A_PATH
        for before, word in pairwise(words)
    )


def _is_address_of_program(word: str) -> bool:
    """`https://example.com/setup.sh?x=1`, but not `https://example.com/health`."""
    _, found, rest = word.partition("://")
    path = re.split("[?#]", rest.partition("/")[2])[0]
    return bool(found) and path.lower().endswith(_PROGRAM_OR_ARCHIVE)
