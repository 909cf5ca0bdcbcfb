"""The CloudFormation templates say what the settings and the contracts say, and what S3 and IAM accept."""

import itertools
import re
from collections.abc import Iterator
from typing import Any

import pytest
from cfnlint.api import lint_file
from cfnlint.config import ManualArgs

from movie_platform.bundles.limits import Limits
from movie_platform.contracts import ARCHIVE_TABLES
from movie_platform.lambdas.config import read_config
from movie_platform.provision.catalog import PARTITION_KEYS, hive_type, logical_id, updated_template
from movie_platform.provision.files import BOOTSTRAP_TEMPLATE, TEMPLATE
from movie_platform.provision.template import declared_resources, load_template
from movie_platform.settings import Settings

# CloudFormation refuses a larger template body.
MAXIMUM_TEMPLATE_BYTES = 51_200
VALUES = {
    "NamePrefix": "movie-platform",
    "CatalogDatabaseName": "movie_platform",
    "AWS::AccountId": "000000000000",
    "AWS::Region": "us-east-1",
    "AWS::Partition": "aws",
}

template = load_template(TEMPLATE)
bootstrap = load_template(BOOTSTRAP_TEMPLATE)
resources: dict[str, Any] = template["Resources"] | bootstrap["Resources"]


def of_type(kind: str) -> dict[str, dict[str, Any]]:
    return {name: each["Properties"] for name, each in resources.items() if each["Type"] == kind}


def text(value: Any) -> str:
    """A plain string, `!Ref` or `!Sub` of names that are known before a deployment."""
    if isinstance(value, dict) and "Ref" in value:
        return VALUES[value["Ref"]]
    if isinstance(value, dict):
        return re.sub(r"\$\{([^}]+)\}", lambda match: VALUES[match[1]], value["Fn::Sub"])
    return value


def test_both_templates_are_accepted_by_cfn_lint():
    for path in (TEMPLATE, BOOTSTRAP_TEMPLATE):
        assert [str(match) for match in lint_file(path, config=ManualArgs(regions=["us-east-1"]))] == []


def test_cfn_lint_is_awake(tmp_path):
    broken = tmp_path / "broken.yaml"
    broken.write_text(TEMPLATE.read_text().replace("GlueVersion", "GleuVersion"))
    assert lint_file(broken, config=ManualArgs(regions=["us-east-1"]))


def test_the_template_fits_into_a_request():
    assert len(TEMPLATE.read_bytes()) < MAXIMUM_TEMPLATE_BYTES


def test_names_are_those_of_the_settings():
    settings = Settings()
    names = {
        "LandingBucket": settings.bucket("landing"),
        "ProcessedBucket": settings.bucket("processed"),
        "ArchiveBucket": settings.bucket("archive"),
        "ArtifactsBucket": settings.bucket("artifacts"),
        "LandingTopic": settings.topic_arn("landing").rpartition(":")[2],
        "AlertsTopic": settings.topic_arn("alerts").rpartition(":")[2],
        "ArrivalsQueue": settings.queue_name("arrivals"),
        "AlertsQueue": settings.queue_name("alerts"),
        "UnpackFunction": settings.unpack_function_name,
        "TransformJob": settings.glue_job_name,
    }
    keys = ("BucketName", "TopicName", "QueueName", "FunctionName", "Name")
    for name, expected in names.items():
        properties = resources[name]["Properties"]
        assert [text(properties[key]) for key in keys if key in properties] == [expected]
    database = resources["CatalogDatabase"]["Properties"]["DatabaseInput"]["Name"]
    assert text(database) == settings.glue_database_name


def test_the_catalog_tables_are_written_from_the_contracts():
    written = TEMPLATE.read_text("utf-8")
    assert updated_template(written) == written, "run `python -m movie_platform.provision.catalog`"


@pytest.mark.parametrize("table", ARCHIVE_TABLES, ids=lambda table: table.name)
def test_a_catalog_table_has_the_columns_of_its_contract(table):
    described = resources[logical_id(table)]["Properties"]["TableInput"]
    listed = {each["Name"]: each["Type"] for each in described["StorageDescriptor"]["Columns"]}
    keys = {each["Name"]: each["Type"] for each in described["PartitionKeys"]}
    assert keys == {name: kind for name, kind, _comment in PARTITION_KEYS}
    expected = {column.name: hive_type(column.type) for column in table.columns}
    assert {name: kind for name, kind in expected.items() if name not in keys} == listed
    assert described["StorageDescriptor"]["Location"] == {"Fn::Sub": f"s3://${{ArchiveBucket}}/{table.name}/"}


def notifications(bucket: dict[str, Any]) -> list[tuple[str, str, str]]:
    """Event, prefix and suffix of each notification of a bucket, whatever it goes to."""
    configuration = bucket.get("NotificationConfiguration", {})
    if "Fn::If" in configuration:
        configuration = configuration["Fn::If"][1]
    found = []
    for entry in itertools.chain.from_iterable(configuration.values()):
        rules = {rule["Name"]: rule["Value"] for rule in entry["Filter"]["S3Key"]["Rules"]}
        found.append((entry["Event"], rules.get("prefix", ""), rules.get("suffix", "")))
    return found


def overlap(one: tuple[str, str, str], other: tuple[str, str, str]) -> bool:
    """Whether S3 refuses the two together: one event that both may report for one key."""
    events = one[0].rstrip("*").startswith(other[0].rstrip("*")) or other[0].rstrip("*").startswith(
        one[0].rstrip("*")
    )
    prefixes = one[1].startswith(other[1]) or other[1].startswith(one[1])
    suffixes = one[2].endswith(other[2]) or other[2].endswith(one[2])
    return events and prefixes and suffixes


@pytest.mark.parametrize("name", ["LandingBucket", "ArchiveBucket"])
def test_no_two_notifications_of_a_bucket_overlap(name):
    found = notifications(resources[name]["Properties"])
    assert found
    assert not [pair for pair in itertools.combinations(found, 2) if overlap(*pair)]


def test_the_overlap_of_notifications_is_noticed():
    created = "s3:ObjectCreated:*"
    assert overlap((created, "movies/", ".zip"), (created, "movies/source=a/", ".zip"))
    assert overlap((created, "", ""), ("s3:ObjectCreated:Put", "movies/", ".zip"))
    assert not overlap((created, "movies/", ".zip"), (created, "movie_genres/", ".zip"))
    assert not overlap((created, "movies/", ".zip"), (created, "movies/", ".csv"))


def test_the_archive_notifies_the_pipes_of_every_table_and_of_nothing_else():
    found = notifications(resources["ArchiveBucket"]["Properties"])
    expected = {("s3:ObjectCreated:*", f"{table.name}/", ".parquet") for table in ARCHIVE_TABLES}
    assert set(found) == expected


def test_every_bucket_is_private_encrypted_and_kept():
    for name, bucket in of_type("AWS::S3::Bucket").items():
        assert set(bucket["PublicAccessBlockConfiguration"].values()) == {True}, name
        assert bucket["BucketEncryption"], name
        assert bucket["OwnershipControls"]["Rules"] == [{"ObjectOwnership": "BucketOwnerEnforced"}], name
        assert bucket["LifecycleConfiguration"]["Rules"], name
        assert resources[name]["DeletionPolicy"] == "RetainExceptOnCreate", name
        assert resources[name]["UpdateReplacePolicy"] == "Retain", name


def test_every_bucket_refuses_connections_without_tls():
    policies = {each["Bucket"]["Ref"]: each for each in of_type("AWS::S3::BucketPolicy").values()}
    assert policies.keys() == of_type("AWS::S3::Bucket").keys()
    for policy in policies.values():
        (statement,) = policy["PolicyDocument"]["Statement"]
        assert statement["Effect"] == "Deny"
        assert statement["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}


def statements() -> Iterator[tuple[str, dict[str, Any]]]:
    """Every statement that allows something, with the resource whose policy it is in."""
    for name, each in resources.items():
        properties = each["Properties"]
        documents = [policy["PolicyDocument"] for policy in properties.get("Policies", [])]
        if "PolicyDocument" in properties:
            documents.append(properties["PolicyDocument"])
        for document in documents:
            for statement in document["Statement"]:
                if statement["Effect"] == "Allow":
                    yield name, statement


def as_list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def test_no_policy_allows_all_actions_of_a_service():
    for name, statement in statements():
        assert not [action for action in as_list(statement["Action"]) if "*" in action], name


def test_no_policy_allows_anything_on_all_resources():
    for name, statement in statements():
        for resource in as_list(statement["Resource"]):
            pattern = resource.get("Fn::Sub", "") if isinstance(resource, dict) else resource
            assert pattern not in ("*", "arn:*"), name
            # A wildcard may stand for what lies in a named bucket, database or log group, not for its name.
            assert "*" not in re.sub(r"(/\*(/[\w.]+)?|:\*)$", "", pattern), f"{name}: {pattern}"


def test_services_that_send_are_held_to_their_source():
    for name, statement in statements():
        if "Service" in statement.get("Principal", {}):
            assert "aws:SourceArn" in statement["Condition"]["ArnEquals"], name


def test_snowflake_is_trusted_with_an_external_id_only():
    (statement,) = resources["SnowflakeRole"]["Properties"]["AssumeRolePolicyDocument"]["Statement"]
    assert statement["Condition"] == {"StringEquals": {"sts:ExternalId": {"Ref": "SnowflakeExternalId"}}}
    actions = {
        action for name, each in statements() if name == "SnowflakeRole" for action in as_list(each["Action"])
    }
    assert actions == {"s3:GetObject", "s3:GetObjectVersion", "s3:ListBucket", "s3:GetBucketLocation"}


def test_the_largest_bundle_fits_into_the_functions_disk():
    megabytes = template["Parameters"]["UnpackStorageMegabytes"]["Default"]
    assert megabytes * 1024 * 1024 > Limits().bundle_bytes


def test_the_function_gets_the_variables_that_it_requires():
    variables = resources["UnpackFunction"]["Properties"]["Environment"]["Variables"]
    assert read_config(dict.fromkeys(variables, "set")).limits == Limits()


def test_queues_that_subscribers_read_have_dead_letters_and_subscriptions_too():
    assert "RedrivePolicy" in resources["ArrivalsQueue"]["Properties"]
    assert "RedrivePolicy" in resources["UnpackSubscription"]["Properties"]
    assert resources["UnpackInvocations"]["Properties"]["DestinationConfig"]["OnFailure"]


def test_every_declared_resource_is_listed_with_its_type():
    assert declared_resources(BOOTSTRAP_TEMPLATE) == {
        "ArtifactsBucket": "AWS::S3::Bucket",
        "ArtifactsBucketPolicy": "AWS::S3::BucketPolicy",
    }
