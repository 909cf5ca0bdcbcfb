"""Which streams are made anew, and by which statement."""

from movie_platform.provision.sql import SqlFile
from movie_platform.provision.streams import names_of_stale, replacements

SHOWN = [
    {"database_name": "MOVIES", "schema_name": "RAW", "name": "MOVIES_STREAM", "stale": "true"},
    {"database_name": "MOVIES", "schema_name": "RAW", "name": "BATCHES_STREAM", "stale": "false"},
    {"database_name": "OTHERS", "schema_name": "RAW", "name": "MOVIES_STREAM", "stale": "true"},
]


def test_stale_streams_of_the_database_are_found_and_no_others():
    assert names_of_stale(SHOWN, "movies") == ["MOVIES.RAW.MOVIES_STREAM"]


def test_a_stale_stream_is_replaced_by_what_its_file_says_of_it():
    creation = "-- Films.\nCREATE STREAM IF NOT EXISTS MOVIES.RAW.movies_stream\nON TABLE t\nSHOW_INITIAL_ROWS = TRUE"
    other = "CREATE STREAM IF NOT EXISTS MOVIES.RAW.batches_stream ON TABLE b"
    file = SqlFile("390_streams.sql", (creation, other), "0")
    assert replacements([file], ["MOVIES.RAW.MOVIES_STREAM", "MOVIES.RAW.SOMEBODYS"]) == {
        "MOVIES.RAW.MOVIES_STREAM": (
            "-- Films.\nCREATE OR REPLACE STREAM MOVIES.RAW.movies_stream\nON TABLE t\nSHOW_INITIAL_ROWS = TRUE"
        )
    }
