"""A small vocabulary of word pieces with every letter, and strings that are hard to cut."""

import string

PIECES = [
    *("[PAD]", "[UNK]", "[CLS]", "[SEP]"),
    *string.punctuation,
    *string.ascii_lowercase,
    *string.digits,
    *("##" + c for c in string.ascii_lowercase + string.digits),
    *("cat red apple heart bon ##fire water ##color paint ##ing un ##believ ##able cafe the of draw".split()),
]
STRINGS = [
    "a bonfire",
    "A Watercolor PAINTING of the red heart",
    "  spaces\tand\nlines\r ",
    "café, naïve Ångström: Łódź İstanbul",
    "don't stop!? (really) [CLS] e-mail@x.y $5 50% ~ ^ ` |",
    "3D rendering of 12345 cats",
    "unbelievable un-believable unbelievables",
    "猫の絵 a cat 고양이 ネコ",
    "🔥 fire 🎨🖌️",
    "zero\u200bwidth soft\u00adhyphen nbsp\u00a0here bell\x07 line\u2028end tab\x0bup",
    "“quoted” — dash … ¿qué? «oui»",
    "a" * 100 + " " + "b" * 101,
    "e\u0301 combining x\u0301\u0302",
    "",
]
