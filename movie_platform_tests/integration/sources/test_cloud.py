"""Sources that lie in the cloud: files in S3, secrets in Secrets Manager."""

import gzip
import sqlite3
from contextlib import closing
from datetime import date
from pathlib import Path

import pytest

from movie_platform.settings import Settings
from movie_platform.sources.aws_clients import client
from movie_platform.sources.profiles import load_profile, open_source
from movie_platform.sources.protocol import Source
from movie_platform.sources.secrets import SecretReference, resolve
from movie_platform.sources.source_errors import SourceAuthenticationError, SourceNotFound

pytestmark = pytest.mark.cloud
DAY = date(2026, 11, 18)
BUCKET = "films-of-somebody-else"


def opened(tmp_path: Path, settings: Settings, source: str) -> Source:
    profile = tmp_path / "p.toml"
    profile.write_text(f'[source]\n{source}\nkey = "id"\n[columns]\ntitle = "name"\n', "utf-8")
    return open_source(load_profile(str(profile), settings=settings), settings=settings)


def titles(source: Source) -> list[str | None]:
    return [row["title"] for batch in source.batches(DAY, None) for row in batch.rows.to_pylist()]


@pytest.fixture(scope="module")
def bucket(local_cloud: Settings) -> str:
    s3 = client(local_cloud, "s3")
    s3.create_bucket(Bucket=BUCKET)
    s3.put_object(Bucket=BUCKET, Key="in/b.csv", Body=b"id,name\n2,B\n")
    s3.put_object(Bucket=BUCKET, Key="in/a 1.csv", Body=gzip.compress(b"id,name\n1,A\n"))
    s3.put_object(Bucket=BUCKET, Key="in/deeper/c.csv", Body=b"id,name\n3,C\n")
    return BUCKET


def test_objects_of_a_glob_are_read_in_order(tmp_path: Path, local_cloud: Settings, bucket: str) -> None:
    assert titles(opened(tmp_path, local_cloud, f'kind = "files"\npath = "s3://{bucket}/in/*.csv"')) == [
        "A",
        "B",
    ]
    assert titles(opened(tmp_path, local_cloud, f'kind = "files"\npath = "s3://{bucket}/in/b.csv"')) == ["B"]


@pytest.mark.parametrize("path", ["in/*.tsv", "in/nope.csv"])
def test_objects_that_are_not_there_are_missed(
    tmp_path: Path, local_cloud: Settings, bucket: str, path: str
) -> None:
    source = opened(tmp_path, local_cloud, f'kind = "files"\nformat = "csv"\npath = "s3://{bucket}/{path}"')
    with pytest.raises(SourceNotFound, match=r"in/"):
        source.batches(DAY, None)


def test_a_bucket_that_is_not_there_is_missed(tmp_path: Path, local_cloud: Settings) -> None:
    source = opened(tmp_path, local_cloud, 'kind = "files"\npath = "s3://no-such-bucket-here/*.csv"')
    with pytest.raises(SourceNotFound, match="NoSuchBucket"):
        source.batches(DAY, None)


def test_secrets_are_resolved_when_used(tmp_path: Path, local_cloud: Settings) -> None:
    database = tmp_path / "films.db"
    with closing(sqlite3.connect(database)) as connection:
        connection.execute("CREATE TABLE films AS SELECT 1 AS id, 'A' AS name")
    manager = client(local_cloud, "secretsmanager")
    manager.create_secret(Name="sources/films", SecretString=f'{{"url": "sqlite:///{database}"}}')
    source = opened(
        tmp_path,
        local_cloud,
        'kind = "sql"\nurl = { secret = "sources/films", field = "url" }\ntable = "films"',
    )
    assert titles(source) == ["A"]
    assert source.describe()["url"] == "secret:sources/films#url"


def test_a_secret_that_is_not_there_or_of_another_form_says_so(local_cloud: Settings) -> None:
    client(local_cloud, "secretsmanager").create_secret(Name="sources/plain", SecretString="hunter2")
    with pytest.raises(SourceAuthenticationError, match="ResourceNotFoundException"):
        resolve(SecretReference(secret="sources/nope"), local_cloud)
    with pytest.raises(SourceAuthenticationError, match="no text field 'url'") as caught:
        resolve(SecretReference(secret="sources/plain", field="url"), local_cloud)
    assert "hunter2" not in str(caught.value)
    assert resolve(SecretReference(secret="sources/plain"), local_cloud).get_secret_value() == "hunter2"
