"""The picture of the structure is that of the code."""

from movie_platform_tests import structure


def test_the_picture_in_the_documents_is_that_of_the_code() -> None:
    assert structure.DOCUMENT.read_text("utf-8") == structure.document(), "run `make structure`"
