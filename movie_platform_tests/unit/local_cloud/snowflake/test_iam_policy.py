"""What policy documents of IAM allow, as far as the local Snowflake asks."""

from typing import Any

import pytest

from movie_platform.local_cloud.snowflake.text.iam_policy import Request, allows, denies

USER = "arn:aws:iam::100000000001:user/local-snowflake"
ROLE = "arn:aws:iam::000000000000:role/reader"


def document(**statement: Any) -> dict[str, Any]:
    return {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", **statement}]}


def trust(principal: Any, external_id: str = "x", operator: str = "StringEquals") -> dict[str, Any]:
    return document(
        Principal=principal, Action="sts:AssumeRole", Condition={operator: {"sts:ExternalId": external_id}}
    )


ASSUMING = Request("sts:AssumeRole", ROLE, USER, {"sts:externalid": "x"})


@pytest.mark.parametrize(
    "policy",
    [
        trust({"AWS": USER}),
        trust({"AWS": ["arn:aws:iam::1:root", USER]}),
        trust({"AWS": "arn:aws:iam::100000000001:root"}),
        trust({"AWS": "100000000001"}),
        trust({"AWS": "*"}),
        trust("*", "x*", "StringLike"),
        document(Principal={"AWS": USER}, Action="sts:*"),
    ],
)
def test_a_trust_that_names_the_user_and_its_external_id_allows(policy: dict[str, Any]) -> None:
    assert allows([policy], ASSUMING)


@pytest.mark.parametrize(
    "policy",
    [
        trust({"AWS": USER}, "another"),
        trust({"AWS": "arn:aws:iam::000000000000:root"}),
        trust({"AWS": f"{USER}-2"}),
        trust({"Service": "ec2.amazonaws.com"}),
        trust({"AWS": USER}, operator="SomethingNew"),
        document(Principal={"AWS": USER}, Action="sts:TagSession"),
        {},
    ],
)
def test_a_trust_in_somebody_else_or_on_other_terms_does_not_allow(policy: dict[str, Any]) -> None:
    assert not allows([policy], ASSUMING)


def test_a_denial_comes_before_what_is_allowed() -> None:
    assert not allows([trust({"AWS": USER}), trust({"AWS": USER}) | {"Statement": [_denying()]}], ASSUMING)
    assert denies([{"Statement": _denying()}], ASSUMING)


def _denying() -> dict[str, Any]:
    return {"Effect": "Deny", "Principal": "*", "Action": "*"}


@pytest.mark.parametrize(
    ("resource", "asked", "allowed"),
    [
        ("arn:aws:s3:::b/*", "arn:aws:s3:::b/movies/x", True),
        ("arn:aws:s3:::b/movies/*", "arn:aws:s3:::b/movies/x", True),
        ("arn:aws:s3:::b/movies/*", "arn:aws:s3:::b/x", False),
        ("arn:aws:s3:::b", "arn:aws:s3:::b/x", False),
        ("arn:aws:s3:::?/x", "arn:aws:s3:::b/x", True),
        (["arn:aws:s3:::c/*", "*"], "arn:aws:s3:::b/x", True),
    ],
)
def test_resources_are_matched_with_wildcards(resource: Any, asked: str, allowed: bool) -> None:
    policy = document(Action=["s3:getobject"], Resource=resource)
    assert allows([policy], Request("s3:GetObject", asked)) is allowed


def test_listing_may_be_limited_to_a_prefix() -> None:
    policy = document(
        Action="s3:ListBucket",
        Resource="arn:aws:s3:::b",
        Condition={"StringLike": {"s3:prefix": ["movies/*"]}},
    )
    request = "s3:ListBucket", "arn:aws:s3:::b", None
    assert allows([policy], Request(*request, {"s3:prefix": "movies/a"}))
    assert not allows([policy], Request(*request, {"s3:prefix": ""}))
    assert not allows([policy], Request(*request))


def test_what_a_statement_excepts_is_not_meant() -> None:
    policy = document(NotAction="s3:PutObject", NotResource="arn:aws:s3:::b/secret/*")
    assert allows([policy], Request("s3:GetObject", "arn:aws:s3:::b/x"))
    assert not allows([policy], Request("s3:PutObject", "arn:aws:s3:::b/x"))
    assert not allows([policy], Request("s3:GetObject", "arn:aws:s3:::b/secret/x"))


def test_a_denial_of_transport_without_tls_does_not_meet_what_comes_with_it() -> None:
    policy = {
        "Statement": {
            "Effect": "Deny",
            "Principal": "*",
            "Action": "s3:*",
            "Resource": "*",
            "Condition": {"Bool": {"aws:SecureTransport": "false"}},
        }
    }
    context = {"aws:securetransport": "true"}
    assert not denies([policy], Request("s3:GetObject", "arn:aws:s3:::b/x", USER, context))
