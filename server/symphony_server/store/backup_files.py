"""What every engine's backups have in common: how they fail."""

from __future__ import annotations


class BackupFailed(RuntimeError):
    """A backup could not be made or restored; what was there before is there still."""


class NoBackup(RuntimeError):
    """A file that is no backup, or none that can be restored here."""
