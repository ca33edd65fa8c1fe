import json

from training import nouns


def test_nouns_are_chosen_by_what_they_are_and_how_often_they_are_drawn(tmp_path):
    (tmp_path / "index.sense").write_text(
        "cat%1:05:00:: 1 1 18\n"
        "cats%1:05:00:: 2 1 1\n"
        "run%2:38:00:: 3 1 50\n"
        "idea%1:09:00:: 4 1 40\n"
        "heart%1:09:00:: 5 1 42\nheart%1:08:00:: 6 2 25\n"
        "jogging%1:04:00:: 7 1 0\nhurry%1:04:00:: 8 1 3\n"
        "paris%1:15:00:: 9 1 9\nslur%1:18:00:: 10 1 9\nox%1:05:00:: 11 1 9\n"
    )
    (tmp_path / "data.noun").write_text(
        "  1 license\n"
        "00000001 05 n 01 cat 0 000 | an animal\n"
        "00000009 15 n 01 Paris 0 000 | a city\n"
        "00000010 18 n 02 slur 0 person 0 000 | (ethnic slur) offensive term\n"
    )
    drawn = [
        {"captions": ["a red heart", "jogging"], "set": "emoji", "colored": True},
        {"captions": ["idea"], "set": "icons", "colored": False},
    ]
    (tmp_path / "color.jsonl").write_text("".join(json.dumps(line) + "\n" for line in drawn))
    (tmp_path / "mono.jsonl").write_text("")
    assert nouns.chosen(tmp_path, tmp_path) == ["cat", "heart", "jogging"]
