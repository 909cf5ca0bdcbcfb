"""Every kind of bad bundle is refused with its own code, and nothing but BundleError ever comes out."""

import contextlib
import io
import random
from dataclasses import replace
from datetime import date
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from movie_platform.bundles.bundle_error import BundleError
from movie_platform.bundles.limits import DEFAULT_LIMITS
from movie_platform.bundles.reasons import ReasonCode
from movie_platform.bundles.verify import verify
from movie_platform.bundles.zip_reader import entry_chunks, open_zip
from movie_platform_tests.hostile_bundles import FAULTS, Fault, bomb_that_declares_little
from movie_platform_tests.plain_bundles import COLUMNS, plain_bundle


def refusal(data: bytes, **options: Any) -> BundleError:
    with pytest.raises(BundleError) as caught:
        verify(io.BytesIO(data), **options)
    return caught.value


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.name)
def test_a_bad_bundle_is_refused_with_the_code_of_its_fault(fault: Fault) -> None:
    error = refusal(fault.make())
    assert error.code is fault.expected, str(error)
    assert error.message.endswith(".")


def test_the_bundle_of_an_outside_producer_is_accepted() -> None:
    verified = verify(
        io.BytesIO(plain_bundle().zipped()), expected_source="demo", expected_dt=date(2026, 11, 18)
    )
    assert verified.manifest.row_count == 4
    assert verified.manifest.column_names == COLUMNS


def test_a_bundle_without_rows_is_accepted() -> None:
    assert verify(io.BytesIO(plain_bundle([]).zipped())).manifest.row_count == 0


def test_a_bundle_under_another_source_is_refused() -> None:
    assert refusal(plain_bundle().zipped(), expected_source="omdb").code is ReasonCode.SOURCE_MISMATCH


def test_a_bundle_under_another_date_is_refused() -> None:
    error = refusal(plain_bundle().zipped(), expected_dt=date(2026, 11, 19))
    assert error.code is ReasonCode.PARTITION_MISMATCH


def test_all_codes_of_the_verification_are_covered() -> None:
    elsewhere = {
        ReasonCode.SOURCE_MISMATCH,
        ReasonCode.PARTITION_MISMATCH,
        ReasonCode.ROW_TOO_LONG,
        ReasonCode.BAD_KEY,
        ReasonCode.BATCH_ID_REUSED,
    }
    assert {fault.expected for fault in FAULTS} == set(ReasonCode) - elsewhere


@pytest.mark.parametrize("quoted", [True, False])
def test_a_row_longer_than_the_limit_is_refused(quoted: bool) -> None:
    bundle = plain_bundle()
    noise = random.Random(1).randbytes(600_000).hex()
    field = f'"{noise}"' if quoted else noise
    bundle.put("csv/movies-00000.csv", f"movie_id,title,year\n1,{field},1927\n".encode(), rows=1)
    bundle.manifest["row_count"] = 1
    limits = replace(DEFAULT_LIMITS, row_bytes=500_000)
    assert refusal(bundle.zipped(), limits=limits).code is ReasonCode.ROW_TOO_LONG
    assert verify(io.BytesIO(bundle.zipped())).manifest.row_count == 1


def test_a_file_larger_than_the_limit_is_refused_unread() -> None:
    error = refusal(plain_bundle().zipped(), limits=replace(DEFAULT_LIMITS, bundle_bytes=100))
    assert error.code is ReasonCode.TOO_LARGE


def test_a_manifest_larger_than_the_limit_is_refused() -> None:
    error = refusal(plain_bundle().zipped(), limits=replace(DEFAULT_LIMITS, manifest_bytes=100))
    assert error.code is ReasonCode.TOO_LARGE


class CountingFile(io.BytesIO):
    """Counts the bytes that are read."""

    def __init__(self, data: bytes) -> None:
        super().__init__(data)
        self.bytes_read = 0

    def read(self, size: int | None = -1, /) -> bytes:
        data = super().read(size)
        self.bytes_read += len(data)
        return data

    def write(self, data: Any, /) -> int:
        raise AssertionError("verifying never writes")


def test_verifying_reads_a_bundle_about_once_and_never_writes() -> None:
    data = plain_bundle([(str(n), f"Film {n}", "1999") for n in range(20_000)]).zipped()
    file = CountingFile(data)
    verify(file)
    # Headers, directory and the tail in which it is searched for come on top.
    assert file.bytes_read < len(data) + 100_000


def test_an_entry_is_inflated_no_further_than_it_declares() -> None:
    file = io.BytesIO(bomb_that_declares_little())
    entry = next(e for e in open_zip(file, DEFAULT_LIMITS) if e.name.startswith("csv/"))
    chunks: list[bytes] = []
    with pytest.raises(BundleError):
        chunks.extend(entry_chunks(file, entry))
    assert sum(map(len, chunks)) <= entry.size


GOOD = plain_bundle().zipped()


@settings(max_examples=300, deadline=None)
@given(st.data())
def test_a_damaged_bundle_raises_nothing_but_its_fault(data: st.DataObject) -> None:
    damaged = bytearray(GOOD)
    for _ in range(data.draw(st.integers(1, 4))):
        position = data.draw(st.integers(0, len(damaged) - 1))
        damaged[position] = data.draw(st.integers(0, 255))
    cut = data.draw(st.one_of(st.just(len(damaged)), st.integers(0, len(damaged))))
    accepted = False
    with contextlib.suppress(BundleError):
        verify(io.BytesIO(bytes(damaged[:cut])))
        accepted = True
    # What no reader looks at may differ: times, versions, attributes. A shorter file is never accepted.
    assert not accepted or cut == len(damaged)


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=300))
def test_any_bytes_raise_nothing_but_a_fault(data: bytes) -> None:
    for attempt in (data, b"PK\x03\x04" + data, b"PK\x05\x06" + data):
        with pytest.raises(BundleError):
            verify(io.BytesIO(attempt))


def test_a_bundle_cut_at_any_byte_is_refused() -> None:
    assert refusal(b"").code is ReasonCode.EMPTY_FILE
    assert {refusal(GOOD[:length]).code for length in range(1, len(GOOD))} == {ReasonCode.TRUNCATED}
