"""A minimal Spark script, run by itself: reads Parquet, trims and casts a handful of columns, writes Parquet.

What anybody would write first, and the least that a transform on Spark can take: no rules, no lists, no hashes, one
table.
"""

import sys
from typing import Any

from pyspark.sql import SparkSession, functions


def main(source: str, target: str) -> None:
    """Read the Parquet files of one folder and write another."""
    # Made by a decorator that type checkers cannot follow.
    builder: Any = SparkSession.builder
    session = builder.getOrCreate()
    films = session.read.parquet(source)
    trimmed = films.select(
        functions.trim("movie_id").alias("movie_id"),
        functions.trim("title").alias("title"),
        functions.regexp_extract("year", r"\d{4}", 0).alias("year"),
        functions.regexp_extract("runtime", r"\d+", 0).alias("runtime_minutes"),
        functions.split("genres", ", ").alias("genres"),
        functions.split("cast", ", ").alias("cast"),
        functions.regexp_replace("box_office", "[$,]", "").alias("box_office"),
        functions.regexp_extract("imdb_rating", r"[\d.]+", 0).alias("imdb_rating"),
        functions.trim("overview").alias("overview"),
    )
    typed = trimmed.withColumns(
        {
            "year": functions.expr("try_cast(year AS int)"),
            "runtime_minutes": functions.expr("try_cast(runtime_minutes AS int)"),
            "box_office": functions.expr("try_cast(box_office AS decimal(18,2))"),
            "imdb_rating": functions.expr("try_cast(imdb_rating AS decimal(5,2))"),
        }
    )
    typed.write.mode("overwrite").parquet(target)
    session.stop()


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2])
