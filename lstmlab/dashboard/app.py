"""The application: the page, the files of runs, and what keeps other sites and computers out."""

from __future__ import annotations

import traceback
from urllib.parse import urlsplit

from dash import Dash
from flask import Response, abort, request, send_file

from lstmlab.dashboard.callbacks import register
from lstmlab.dashboard.files import KINDS, inside
from lstmlab.dashboard.layout import page
from lstmlab.dashboard.report_page import report
from lstmlab.dashboard.run import FINISHED
from lstmlab.dashboard.run_callbacks import register_run_page
from lstmlab.dashboard.watch import Watch
from lstmlab.tracking.files import RunError

HOSTS = ("127.0.0.1", "localhost")
_POLICY = (
    "default-src 'self'; script-src 'self' 'unsafe-inline' 'unsafe-eval'; style-src 'self' 'unsafe-inline'; "
    "img-src 'self' data: blob:; font-src 'self' data:; frame-ancestors 'none'"
)
"""The browser loads nothing from elsewhere. Dash starts with a script in the page; Plotly compiles its shaders."""


def make_app(watch: Watch) -> Dash:
    """The dashboard of the watched runs, as a WSGI application in ``.server``; nothing is served yet."""
    app = Dash(
        "lstmlab.dashboard", title="lstmlab dashboard", update_title="", serve_locally=True,
        suppress_callback_exceptions=True, add_log_handler=False, on_error=report_error,
    )  # fmt: skip
    app.layout = page
    register(app, watch)
    register_run_page(app, watch)
    _guard(app)
    _serve_files(app, watch)
    _serve_reports(app, watch)
    return app


def report_error(error: Exception) -> None:
    """An error of a callback goes to the terminal with its traceback; the page stays as it was."""
    traceback.print_exception(error)


def _guard(app: Dash) -> None:
    @app.server.before_request
    def check_host() -> None:
        """Answer only under a local name: a site that gives its own name this address sees nothing."""
        if urlsplit(f"//{request.host}").hostname not in HOSTS:
            abort(403)

    @app.server.after_request
    def add_headers(response: Response) -> Response:
        response.headers["Content-Security-Policy"] = _POLICY
        response.headers["X-Content-Type-Options"] = "nosniff"
        response.headers["Referrer-Policy"] = "no-referrer"
        return response


def _serve_files(app: Dash, watch: Watch) -> None:
    @app.server.get("/files/")
    @app.server.get("/files/<path:rest>")
    def refuse(rest: str = "") -> Response:
        """Dash would answer with its page."""
        abort(404)

    @app.server.get("/files/<run>/<folder>/<path:name>")
    def serve(run: str, folder: str, name: str) -> Response:
        directory = next((each.directory for each in watch.snapshot().runs if each.id == run), None)
        path = inside(directory, folder, name) if directory else None
        if path is None:
            abort(404)
        return send_file(path, mimetype=KINDS[path.suffix], max_age=0)


def _serve_reports(app: Dash, watch: Watch) -> None:
    @app.server.get("/report")
    def serve_report() -> Response:
        wanted = set(request.args.get("runs", "").split("."))
        runs = [run for run in watch.snapshot().runs if run.id in wanted and run.state == FINISHED]
        try:
            return Response(report(runs), mimetype="text/html")
        except RunError as error:
            return Response(f"{error}\n", status=422, mimetype="text/plain")
