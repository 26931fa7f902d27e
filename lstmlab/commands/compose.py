"""``lstmlab compose``: music from a model of chorales, as a MIDI file."""

from __future__ import annotations

from pathlib import Path

from lstmlab.commands._parser import run_parser_for


def main(arguments: list[str]) -> None:
    """Continue the opening of a test piece with a model of chorales, and write both as a Standard MIDI File."""
    parser = run_parser_for(main)
    parser.add_argument("--output", type=Path, default=Path("piece.mid"), help="the file (default: piece.mid)")
    parser.add_argument("--length", type=int, default=64, help="quarter notes to add (default: 64)")
    parser.add_argument("--temperature", type=float, default=1.0, help="0: always the likeliest keys (default: 1)")
    parser.add_argument("--voices", type=int, default=0, help="keys that sound at each step; 0: as drawn (default)")
    parser.add_argument("--prime", type=int, default=8, help="quarter notes of the opening (default: 8)")
    parser.add_argument("--piece", type=int, default=0, help="which test piece, from 0 (default: 0)")
    parser.add_argument("--tempo", type=float, default=90.0, help="quarter notes per minute (default: 90)")
    parser.add_argument("--program", type=int, default=0, help="General MIDI instrument; 19 is an organ (default: 0)")
    parser.add_argument("--restrike", action="store_true", help="strike held keys anew at every step")
    parser.add_argument("--seed", type=int, default=0, help="random seed (default: 0)")
    chosen = parser.parse_args(arguments)
    ranges = {"length": (1, None), "temperature": (0, None), "voices": (0, 88), "tempo": (4, 1000),
              "program": (0, 127), "seed": (0, 2**32 - 1)}  # fmt: skip
    for name, (low, high) in ranges.items():
        value = getattr(chosen, name)
        if not low <= value <= (float("inf") if high is None else high) or value == float("inf"):
            wanted = f"at least {low}" if high is None else f"between {low} and {high}"
            parser.error(f"--{name} is {value}, but must be {wanted}")
    if not chosen.output.absolute().parent.is_dir():
        parser.error(f"--output: there is no directory {chosen.output.absolute().parent}")
    import numpy as np

    from lstmlab.config import ConfigError
    from lstmlab.tasks.music.chorales.dataset import LOWEST
    from lstmlab.tasks.music.chorales.task import Chorales
    from lstmlab.tasks.music.midi import write_midi
    from lstmlab.tasks.music.voicing import Voicing
    from lstmlab.training import load

    trained = load(chosen.run)
    if not isinstance(trained.task, Chorales):
        raise ConfigError(f"{chosen.run} holds a run of task {trained.task.name}, which has no music")
    try:
        opening = trained.task.opening(chosen.prime, chosen.piece)
    except ValueError as error:
        raise ConfigError(f"--prime, --piece: {error}") from None
    voicing = Voicing(chosen.temperature, chosen.voices)
    try:
        added = trained.task.compose(trained, opening, chosen.length, voicing, chosen.seed)
    except ValueError as error:
        raise ConfigError(f"{chosen.run} cannot compose: {error}") from None
    roll = np.concatenate([opening, added])
    write_midi(chosen.output, roll, lowest=LOWEST, tempo=chosen.tempo, program=chosen.program, restrike=chosen.restrike)
    sounding = added.sum(axis=1)
    print(
        f"{chosen.output}: {len(opening)} + {len(added)} quarter notes, {60 * len(roll) / chosen.tempo:.0f} s, "
        f"{sounding.mean():.1f} keys at a time, {np.mean(sounding == 0):.0%} silence"
    )
