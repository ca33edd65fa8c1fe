import pytest

from clipdraw.runs import draw, session


def test_ctrl_c_before_the_first_step_leaves_no_folder(tmp_path, monkeypatch):
    def interrupted(encoder):
        raise KeyboardInterrupt

    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(session, "Vocabulary", interrupted)
    with pytest.raises(KeyboardInterrupt):
        draw("a red heart", strokes=4, steps=2, views=2, explain=True)
    assert list(tmp_path.iterdir()) == []
