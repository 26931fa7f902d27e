"""``lstmlab compare``: a table of finished runs."""

from small_runs import command


def test_compare_shows_the_runs_below_its_directories(number_run, text_run, tmp_path):
    shown = command("compare", str(number_run), str(text_run), "--output", str(tmp_path / "out"))
    assert (shown.code, shown.err) == (0, "")
    assert "adding" in shown.out
    assert "char_lm" in shown.out
    assert (tmp_path / "out" / "comparison_char_lm.png").exists()


def test_compare_keeps_values_apart_and_takes_a_reference(number_run, tmp_path):
    shown = command("compare", str(number_run), "--by", "model.hidden_size", "--by", "model.layers")
    assert (shown.code, shown.err) == (0, "")
    assert "model.hidden_size=8 model.layers=1" in shown.out


def test_the_kind_of_figures_needs_a_place_for_them(number_run):
    shown = command("compare", str(number_run), "--figures", "pdf")
    assert shown.code == 2
    assert shown.err.startswith("lstmlab compare: --figures needs --output DIR")
