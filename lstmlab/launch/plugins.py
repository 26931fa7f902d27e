"""The plugins that lstmlab brings for Hydra."""

from __future__ import annotations

from hydra.core.plugins import Plugins

from lstmlab.launch.population import PopulationLauncher
from lstmlab.launch.search import SearchSweeper

# Hydra instantiates plugins under this name alone; in the files of conf/ it precedes the class.
NAMESPACE = "hydra_plugins.lstmlab"
PLUGINS = [PopulationLauncher, SearchSweeper]


def register_plugins() -> None:
    """Let ``hydra/sweeper=`` and ``hydra/launcher=`` find the plugins."""
    plugins = Plugins.instance()
    for plugin in PLUGINS:
        plugins.register(plugin)
        plugins.class_name_to_class[f"{NAMESPACE}.{plugin.__name__}"] = plugin
