"""What goes wrong in starting, stopping and reading a local cloud."""

from movie_platform.errors import PlatformError


class LocalCloudError(PlatformError):
    """A server of the local cloud did not start, did not answer or did not end."""


class HomeBusyError(LocalCloudError):
    """Another process is starting or stopping the servers of the same home."""


class CloudFileError(LocalCloudError):
    """The record that a local cloud keeps in its home cannot be read."""
