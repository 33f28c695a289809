from __future__ import annotations

import pytest

from wsgikit.server.tls_environ import client_environ, distinguished_name

NAME = ((("countryName", "GB"),), (("organizationName", "Example"),), (("commonName", "Ada"),))


def test_a_name_begins_with_its_smallest_part():
    assert distinguished_name(NAME) == "CN=Ada,O=Example,C=GB"
    assert distinguished_name(()) == ""
    several = ((("commonName", "Ada"), ("userId", "1")), (("1.2.3", "x"),))
    assert distinguished_name(several) == "1.2.3=x,CN=Ada+UID=1"


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        ("a,b", r"a\,b"),
        ('"+;<>\\', r"\"\+\;\<\>\\"),
        (" a ", r"\ a\ "),
        ("#1", r"\#1"),
        ("a#b c", "a#b c"),
        ("a\0\n", r"a\00\0A"),
        ("=", "="),
    ],
)
def test_what_would_be_read_as_another_name_is_escaped(value, shown):
    assert distinguished_name(((("commonName", value),),)) == f"CN={shown}"


def test_the_first_part_of_a_kind_and_all_other_names():
    units = tuple((("organizationalUnitName", unit),) for unit in ("first", "second"))
    environ = client_environ(
        {
            "subject": (*units, (("emailAddress", "ada@example.org"),)),
            "issuer": NAME,
            "serialNumber": "0A",
            "notBefore": "Jan  1 00:00:00 2026 GMT",
            "notAfter": "Jan  1 00:00:00 2027 GMT",
            "subjectAltName": (
                ("DNS", "a.example"),
                ("DNS", "b.example"),
                ("email", "a@b.example"),
                ("URI", "urn:a"),
            ),
        }
    )
    assert environ["SSL_CLIENT_S_DN_OU"] == "first"
    assert environ["SSL_CLIENT_S_DN_Email"] == "ada@example.org"
    assert environ["SSL_CLIENT_S_DN"] == "emailAddress=ada@example.org,OU=second,OU=first"
    assert environ["SSL_CLIENT_I_DN"] == "CN=Ada,O=Example,C=GB"
    assert environ["SSL_CLIENT_I_DN_C"] == "GB"
    assert environ["SSL_CLIENT_SAN_DNS_1"] == "b.example"
    assert environ["SSL_CLIENT_SAN_Email_0"] == "a@b.example"
    assert not any("URI" in key for key in environ)
