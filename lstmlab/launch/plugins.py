"""lstmlab's plugins for Hydra."""

from __future__ import annotations

from hydra.core.plugins import Plugins

from lstmlab.launch.population import PopulationLauncher
from lstmlab.launch.search import SearchSweeper

NAMESPACE = "hydra_plugins.lstmlab"
"""Hydra accepts plugins only from the package ``hydra_plugins``; ``_target_`` in ``conf/`` begins with this name."""
PLUGINS = [PopulationLauncher, SearchSweeper]


def register_plugins() -> None:
    """Make the plugins known to ``hydra/sweeper=`` and ``hydra/launcher=``."""
    plugins = Plugins.instance()
    for plugin in PLUGINS:
        plugins.register(plugin)
        plugins.class_name_to_class[f"{NAMESPACE}.{plugin.__name__}"] = plugin
