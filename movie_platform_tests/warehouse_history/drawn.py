"""Histories that hypothesis draws, and which of their batches are complete."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

from hypothesis import strategies as st

from movie_platform_tests.warehouse_history import raw
from movie_platform_tests.warehouse_history.history import PARTS, Batch, Part
from movie_platform_tests.warehouse_history.samples import batch, film

_TITLES = ("A", "B")
_GENRES = ((), ("Drama",), ("drama", "Crime"))
_PEOPLE = ((), (("director", "Ann"),), (("director", "ann"), ("cast", "Bob"), ("cast", "Ann")))


@st.composite
def batches_of(draw: st.DrawFn, tag: str) -> list[Batch]:
    """Some batches of two sources over five days: films come, change, go and come back; days repeat and are missing."""
    found: list[Batch] = []
    for _ in range(draw(st.integers(2, 6))):
        number, hour = draw(st.integers(0, 4)), draw(st.integers(0, 2))
        source = f"{tag}{draw(st.sampled_from('aab'))}"
        states = draw(
            st.dictionaries(
                st.sampled_from(("1", "2", "3")),
                st.tuples(
                    st.sampled_from(_TITLES),
                    st.sampled_from(_GENRES),
                    st.sampled_from(_PEOPLE),
                    st.sampled_from((None, Decimal("1.5000"))),
                    st.booleans(),
                ),
            )
        )
        films = [
            film(
                tag,
                movie_id,
                title,
                ",".join(genres),
                people=people,
                popularity=popularity,
                ratings=(("imdb", Decimal("50.00"), 7),) if rated else (),
            )
            for movie_id, (title, genres, people, popularity, rated) in sorted(states.items())
        ]
        refused = draw(st.sampled_from(((), (), ("1",), ("2",), (None,))))
        films = [one for one in films if one.movie_id not in refused]
        code = draw(st.integers(1, 2))
        made = batch(
            tag,
            number,
            *films,
            hour=hour,
            source=source,
            load_type=draw(st.sampled_from(("full", "full", "delta"))),
            quarantined=refused,
            transform_id=f"t{code}",
        )
        # What bears one name is one thing: of two batches that came out alike the first is meant.
        found.append(replace(made, transformed_at=made.transformed_at + timedelta(minutes=code)))
    names: set[tuple[object, ...]] = set()
    return [
        one
        for one in found
        if (key := (one.source, one.batch_id, one.transform_id)) not in names and not names.add(key)
    ]


def complete(arrived: Sequence[Part]) -> list[Batch]:
    """The batches of which every piece of every part that has rows has arrived."""
    pieces: dict[tuple[str, str, str, str], set[int]] = {}
    for part in arrived:
        name = (part.batch.source, part.batch.batch_id, part.batch.transform_id, part.table)
        found = pieces.setdefault(name, set())
        found |= set(range(part.piece, len(raw.part_rows(part)), part.pieces))
    there = {
        name
        for part in arrived
        if len(pieces[name := (part.batch.source, part.batch.batch_id, part.batch.transform_id, part.table)])
        == len(raw.part_rows(part))
    }
    announced = {id(part.batch): part.batch for part in arrived if part.table == "batches"}
    return [
        one
        for one in announced.values()
        if all(
            (one.source, one.batch_id, one.transform_id, table) in there
            for table in PARTS
            if raw.part_rows(Part(one, table))
        )
    ]
