"""The typed configuration and its composition by Hydra."""

from lstmlab.config.compose import (
    compose,
    compose_tree,
    conf_dir,
    register_schemas,
)
from lstmlab.config.convert import ConfigError, to_config, to_tree
from lstmlab.config.saved import read_config, read_tree, save_config
from lstmlab.config.schema import PLACE_KEYS, Config
from lstmlab.config.traced import Member, merge_traced, split_traced, switched_on, traced_keys

__all__ = [
    "PLACE_KEYS", "Config", "ConfigError", "Member", "compose", "compose_tree", "conf_dir",
    "merge_traced", "read_config", "read_tree", "register_schemas", "save_config", "split_traced", "switched_on",
    "to_config", "to_tree", "traced_keys",
]  # fmt: skip
