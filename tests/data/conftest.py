"""The server of the download tests."""

from download_server import server

__all__ = ["server"]
