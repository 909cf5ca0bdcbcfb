"""Handing a bundle over: its upload to the landing bucket, as an outside producer would do it."""

from pathlib import Path

from movie_platform.automation.arrivals import Arrival
from movie_platform.contracts.locations import LandingKey
from movie_platform.resources.aws_client import aws_client
from movie_platform.settings import Settings


def put_bundle(settings: Settings, path: Path, key: LandingKey) -> Arrival:
    """Upload a bundle, in parts where it is large, and answer what landed. Errors are boto3's own."""
    s3 = aws_client(settings, "s3")
    bucket = settings.bucket("landing")
    s3.upload_file(str(path), bucket, str(key), ExtraArgs={"ContentType": "application/zip"})
    head = s3.head_object(Bucket=bucket, Key=str(key))
    return Arrival(bucket, str(key), head["ETag"].strip('"'), head["ContentLength"], key.source, key.dt)
