"""Bundles that are wrong in one way each, with the reason that they must be refused for.

Every function makes the whole ZIP, small on disk whatever it pretends to be. Tests use all of them;
`movie_platform_tests.sample_files` writes some into sample_data.
"""

import io
import json
import struct
import zipfile
import zlib
from collections.abc import Callable
from dataclasses import dataclass

from movie_platform.bundles.reasons import ReasonCode
from movie_platform_tests.plain_bundles import (
    COLUMNS,
    ROWS,
    csv_bytes,
    file_entry,
    plain_bundle,
    zip_info,
    zip_of,
)

_CSV = "csv/movies-00000.csv"
_PARQUET = "parquet/movies-00000.parquet"
_REJECTED = "rejected/rejected-00000.jsonl"
_SYMLINK = 0o120777 << 16
_LOCAL = b"PK\x03\x04"
_CENTRAL = b"PK\x01\x02"
_END = b"PK\x05\x06"


@dataclass(frozen=True)
class Fault:
    """A way of being wrong. `expected` is the code that verifying answers with the default limits."""

    name: str
    expected: ReasonCode
    make: Callable[[], bytes]


FAULTS: list[Fault] = []


def fault(expected: ReasonCode) -> Callable[[Callable[[], bytes]], Callable[[], bytes]]:
    """Registers a function that makes a bad bundle."""

    def register(make: Callable[[], bytes]) -> Callable[[], bytes]:
        FAULTS.append(Fault(make.__name__, expected, make))
        return make

    return register


@fault(ReasonCode.EMPTY_FILE)
def empty_file() -> bytes:
    return b""


@fault(ReasonCode.NOT_A_ZIP)
def not_a_zip() -> bytes:
    return b"movie_id,title\n1,Metropolis\n" * 100


@fault(ReasonCode.NOT_A_ZIP)
def gzip_instead_of_zip() -> bytes:
    return zlib.compress(b"movie_id,title\n", wbits=31)


@fault(ReasonCode.TRUNCATED)
def truncated() -> bytes:
    data = plain_bundle().zipped()
    return data[: len(data) // 2]


@fault(ReasonCode.TRUNCATED)
def bytes_after_the_end() -> bytes:
    return plain_bundle().zipped() + b"and something more"


@fault(ReasonCode.ZIP_MALFORMED)
def bytes_between_entries() -> bytes:
    data = plain_bundle().zipped()
    start = data.index(_CENTRAL)
    end = data.index(_END)
    record = bytearray(data[end:])
    struct.pack_into("<I", record, 16, start + 4)
    return data[:start] + b"\0\0\0\0" + data[start:end] + bytes(record)


@fault(ReasonCode.HEADER_MISMATCH)
def two_names_for_one_entry() -> bytes:
    data = plain_bundle().zipped()
    position = data.index(_CSV.encode())
    return data[:position] + _CSV.replace("csv", "tsv").encode() + data[position + len(_CSV) :]


@fault(ReasonCode.HEADER_MISMATCH)
def two_sizes_for_one_entry() -> bytes:
    data = bytearray(plain_bundle().zipped())
    header = data.rindex(_CENTRAL)
    size = struct.unpack_from("<I", data, header + 24)[0]
    struct.pack_into("<I", data, header + 24, size - 1)
    return bytes(data)


@fault(ReasonCode.HEADER_MISMATCH)
def encrypted_by_one_header_only() -> bytes:
    data = bytearray(plain_bundle().zipped())
    data[data.rindex(_LOCAL) + 6] |= 1
    return bytes(data)


@fault(ReasonCode.OVERLAPPING_ENTRIES)
def overlapping_entries() -> bytes:
    # The stored data of one entry is another entry, header and all: bombs are built so, each byte inflated twice.
    bundle = plain_bundle()
    inner = zip_of({_CSV: bundle.files[_CSV]})
    inner_local, inner_central = (
        inner[: inner.index(_CENTRAL)],
        inner[inner.index(_CENTRAL) : inner.index(_END)],
    )
    outer = zip_of([(zip_info("outer", zipfile.ZIP_STORED), inner_local)])
    start, end = outer.index(_CENTRAL), outer.rindex(_END)
    central = bytearray(inner_central)
    struct.pack_into("<I", central, 42, outer.index(inner_local))
    directory = outer[start:end] + bytes(central)
    return outer[:start] + directory + struct.pack("<4s4H2IH", _END, 0, 0, 2, 2, len(directory), start, 0)


@fault(ReasonCode.ENCRYPTED_ENTRY)
def encrypted() -> bytes:
    data = bytearray(plain_bundle().zipped())
    for signature, offset in ((_LOCAL, 6), (_CENTRAL, 8)):
        position = data.rindex(signature)
        flags = struct.unpack_from("<H", data, position + offset)[0]
        struct.pack_into("<H", data, position + offset, flags | 1)
    return bytes(data)


@fault(ReasonCode.UNSUPPORTED_COMPRESSION)
def compressed_by_lzma() -> bytes:
    bundle = plain_bundle()
    entries = [(zip_info(name, zipfile.ZIP_LZMA), data) for name, data in bundle.entries().items()]
    return zip_of(entries)


@fault(ReasonCode.INFLATE_FAILED)
def garbled_deflate_data() -> bytes:
    data = bytearray(plain_bundle().zipped())
    position = data.index(_CSV.encode()) + len(_CSV)
    # 0b111: a last block of the reserved kind.
    data[position] = 0x07
    return bytes(data)


@fault(ReasonCode.INFLATE_FAILED)
def bytes_hidden_behind_deflate_data() -> bytes:
    data = bytearray(plain_bundle().zipped())
    hidden = b"something that no reader shows"
    for signature, offset in ((_LOCAL, 18), (_CENTRAL, 20)):
        position = data.rindex(signature) + offset
        struct.pack_into("<I", data, position, struct.unpack_from("<I", data, position)[0] + len(hidden))
    end = data.index(_END)
    struct.pack_into("<I", data, end + 16, struct.unpack_from("<I", data, end + 16)[0] + len(hidden))
    directory = data.index(_CENTRAL)
    return bytes(data[:directory] + hidden + data[directory:])


@fault(ReasonCode.CRC_MISMATCH)
def wrong_crc() -> bytes:
    data = bytearray(plain_bundle().zipped())
    for signature, offset in ((_LOCAL, 14), (_CENTRAL, 16)):
        struct.pack_into("<I", data, data.rindex(signature) + offset, 0xDEADBEEF)
    return bytes(data)


@fault(ReasonCode.RATIO_TOO_HIGH)
def bomb_by_ratio() -> bytes:
    bundle = plain_bundle()
    bundle.put(_CSV, b"\0" * 20_000_000)
    return bundle.zipped()


@fault(ReasonCode.TOO_LARGE)
def bomb_by_size() -> bytes:
    # The headers declare 4 TB; a tool that believes them fills its disk.
    bundle = plain_bundle()
    manifest, data = bundle.manifest_bytes(), bundle.files[_CSV]
    huge = 1 << 42
    name, crc, packed = _CSV.encode(), zlib.crc32(data), zlib.compress(data, wbits=-15)
    first = zip_of({"manifest.json": manifest})
    split, end = first.index(_CENTRAL), first.index(_END)
    extra = struct.pack("<HHQQ", 1, 16, huge, len(packed))
    local = struct.pack(
        "<4s5H3I2H", _LOCAL, 45, 0, 8, 0, 33, crc, 0xFFFFFFFF, 0xFFFFFFFF, len(name), len(extra)
    )
    body = first[:split] + local + name + extra + packed
    central_extra = struct.pack("<HHQ", 1, 8, huge)
    central = struct.pack(
        "<4s6H3I5H2I",
        _CENTRAL,
        (3 << 8) | 45,
        45,
        0,
        8,
        0,
        33,
        crc,
        len(packed),
        0xFFFFFFFF,
        len(name),
        len(central_extra),
        0,
        0,
        0,
        0o100644 << 16,
        split,
    )
    directory = first[split:end] + central + name + central_extra
    return body + directory + struct.pack("<4s4H2IH", _END, 0, 0, 2, 2, len(directory), len(body), 0)


@fault(ReasonCode.SIZE_MISMATCH)
def bomb_that_declares_little() -> bytes:
    # Declares the size that the manifest names and inflates to 20 MB.
    bundle = plain_bundle()
    size = len(bundle.files[_CSV])
    bundle.files[_CSV] = b"0" * 20_000_000
    data = bytearray(bundle.zipped())
    for signature, offset in ((_LOCAL, 22), (_CENTRAL, 24)):
        struct.pack_into("<I", data, data.rindex(signature) + offset, size)
    return bytes(data)


@fault(ReasonCode.TOO_MANY_ENTRIES)
def too_many_entries() -> bytes:
    return zip_of({f"{number}": b"" for number in range(10_001)})


@fault(ReasonCode.PATH_ESCAPE)
def path_with_dots() -> bytes:
    return zip_of({**plain_bundle().entries(), "../../etc/cron.d/movies": b"* * * * * root true\n"})


@fault(ReasonCode.PATH_ESCAPE)
def path_with_dots_and_backslashes() -> bytes:
    return zip_of({**plain_bundle().entries(), "csv\\..\\..\\autorun.inf": b"x"})


@fault(ReasonCode.ABSOLUTE_PATH)
def absolute_path() -> bytes:
    return zip_of({**plain_bundle().entries(), "/etc/passwd": b"x"})


@fault(ReasonCode.ABSOLUTE_PATH)
def path_with_a_drive() -> bytes:
    return zip_of({**plain_bundle().entries(), "C:/windows/win.ini": b"x"})


@fault(ReasonCode.BAD_ENTRY_NAME)
def name_with_a_line_end() -> bytes:
    return zip_of({**plain_bundle().entries(), "csv/movies\n.csv": b"x"})


@fault(ReasonCode.LINK_ENTRY)
def symlink() -> bytes:
    bundle = plain_bundle()
    entries = [(zip_info(name), data) for name, data in bundle.entries().items()]
    entries[1] = (zip_info(_CSV, attributes=_SYMLINK), b"/etc/passwd")
    return zip_of(entries)


@fault(ReasonCode.DUPLICATE_ENTRY)
def duplicate_entry() -> bytes:
    bundle = plain_bundle()
    buffer = io.BytesIO(bundle.zipped())
    with zipfile.ZipFile(buffer, "a") as archive:
        # zipfile warns of a name that it has; one that differs in case it takes for another.
        archive.writestr(zip_info(_CSV.upper()), b"movie_id,title,year\r\n")
    return buffer.getvalue()


@fault(ReasonCode.UNEXPECTED_ENTRY)
def extra_file() -> bytes:
    return zip_of({**plain_bundle().entries(), "csv/notes.txt": b"not in the manifest"})


@fault(ReasonCode.UNEXPECTED_ENTRY)
def folder_entry() -> bytes:
    return zip_of({**plain_bundle().entries(), "csv/": b""})


@fault(ReasonCode.MISSING_ENTRY)
def missing_file() -> bytes:
    bundle = plain_bundle()
    del bundle.files[_CSV]
    return bundle.zipped()


@fault(ReasonCode.MISSING_MANIFEST)
def missing_manifest() -> bytes:
    return zip_of(plain_bundle().files)


@fault(ReasonCode.MISSING_MANIFEST)
def no_entries() -> bytes:
    return zip_of({})


@fault(ReasonCode.MANIFEST_NOT_JSON)
def manifest_is_not_json() -> bytes:
    return zip_of({**plain_bundle().entries(), "manifest.json": b"{'format_version': 1}"})


@fault(ReasonCode.MANIFEST_NOT_JSON)
def manifest_names_a_field_twice() -> bytes:
    data = plain_bundle().manifest_bytes().replace(b'"dt":', b'"dt": "2026-11-19",\n "dt":', 1)
    return zip_of({**plain_bundle().entries(), "manifest.json": data})


@fault(ReasonCode.MANIFEST_NOT_JSON)
def manifest_is_nested_too_deeply() -> bytes:
    return zip_of({**plain_bundle().entries(), "manifest.json": b"[" * 200_000 + b"1," * 1000})


@fault(ReasonCode.UNKNOWN_FORMAT_VERSION)
def unknown_format_version() -> bytes:
    bundle = plain_bundle()
    bundle.manifest["format_version"] = 2
    return bundle.zipped()


@fault(ReasonCode.MANIFEST_INVALID)
def manifest_lacks_a_field() -> bytes:
    bundle = plain_bundle()
    del bundle.manifest["load_type"]
    return bundle.zipped()


@fault(ReasonCode.MANIFEST_INVALID)
def manifest_is_a_list() -> bytes:
    return zip_of({**plain_bundle().entries(), "manifest.json": b"[]"})


@fault(ReasonCode.MANIFEST_INVALID)
def manifest_dates_an_impossible_day() -> bytes:
    bundle = plain_bundle()
    bundle.manifest["dt"] = "2026-02-30"
    return bundle.zipped()


@fault(ReasonCode.MANIFEST_INVALID)
def manifest_names_a_file_outside() -> bytes:
    bundle = plain_bundle()
    bundle.manifest["files"][0]["path"] = "../movies-00000.csv"
    return bundle.zipped()


@fault(ReasonCode.BATCH_ID_INVALID)
def batch_id_of_another_moment() -> bytes:
    bundle = plain_bundle()
    bundle.manifest["extracted_at"] = "2026-11-18T07:00:00Z"
    return bundle.zipped()


@fault(ReasonCode.PARTS_INCONSISTENT)
def parts_with_a_gap() -> bytes:
    bundle = plain_bundle()
    data = csv_bytes(ROWS[:1], COLUMNS)
    path = "csv/movies-00002.csv"
    bundle.files[path] = data
    bundle.manifest["files"].append(file_entry(path, "csv", 2, 1, data))
    bundle.manifest["row_count"] += 1
    return bundle.zipped()


@fault(ReasonCode.COLUMNS_NOT_IN_CONTRACT)
def columns_that_no_contract_knows() -> bytes:
    return plain_bundle(columns=("movie_id", "title", "jahr")).zipped()


@fault(ReasonCode.COLUMNS_MISMATCH)
def columns_in_another_order() -> bytes:
    bundle = plain_bundle()
    bundle.put(_CSV, csv_bytes(ROWS, ("title", "movie_id", "year")))
    return bundle.zipped()


@fault(ReasonCode.COLUMNS_MISMATCH)
def byte_order_mark() -> bytes:
    bundle = plain_bundle()
    bundle.put(_CSV, b"\xef\xbb\xbf" + bundle.files[_CSV])
    return bundle.zipped()


@fault(ReasonCode.SIZE_MISMATCH)
def wrong_size() -> bytes:
    bundle = plain_bundle()
    bundle.manifest["files"][0]["bytes"] += 1
    return bundle.zipped()


@fault(ReasonCode.CHECKSUM_MISMATCH)
def wrong_sha256() -> bytes:
    bundle = plain_bundle()
    bundle.files[_CSV] = bundle.files[_CSV].replace(b"1927", b"1928")
    return bundle.zipped()


@fault(ReasonCode.ROW_COUNT_MISMATCH)
def wrong_row_count() -> bytes:
    bundle = plain_bundle()
    bundle.manifest["files"][0]["rows"] += 1
    bundle.manifest["row_count"] += 1
    return bundle.zipped()


@fault(ReasonCode.ROW_COUNT_MISMATCH)
def rows_that_do_not_add_up() -> bytes:
    bundle = plain_bundle()
    bundle.manifest["row_count"] += 1
    return bundle.zipped()


@fault(ReasonCode.NOT_UTF8)
def invalid_utf8() -> bytes:
    bundle = plain_bundle()
    bundle.put(_CSV, bundle.files[_CSV].replace(b"Metropolis", b"M\xe9tropolis"))
    return bundle.zipped()


@fault(ReasonCode.NUL_BYTE)
def nul_byte() -> bytes:
    bundle = plain_bundle()
    bundle.put(_CSV, bundle.files[_CSV].replace(b"Metropolis", b"Metro\0polis"))
    return bundle.zipped()


@fault(ReasonCode.CSV_MALFORMED)
def ragged_row() -> bytes:
    bundle = plain_bundle()
    bundle.put(_CSV, bundle.files[_CSV].replace(b"1,Metropolis,1927", b"1,Metropolis,1927,silent"))
    return bundle.zipped()


@fault(ReasonCode.CSV_MALFORMED)
def quotes_escaped_by_backslashes() -> bytes:
    bundle = plain_bundle()
    bundle.put(_CSV, bundle.files[_CSV].replace(b'""', b'\\"'))
    return bundle.zipped()


@fault(ReasonCode.CSV_MALFORMED)
def quote_that_never_ends() -> bytes:
    bundle = plain_bundle()
    bundle.put(_CSV, bundle.files[_CSV] + b'5,"Unfinished')
    return bundle.zipped()


@fault(ReasonCode.NESTED_ARCHIVE)
def archive_taken_for_data() -> bytes:
    bundle = plain_bundle()
    bundle.put(_CSV, plain_bundle().zipped())
    return bundle.zipped()


@fault(ReasonCode.PARQUET_MALFORMED)
def parquet_that_is_none() -> bytes:
    bundle = plain_bundle()
    data = b"PAR1 but nothing that follows is Parquet"
    bundle.files[_PARQUET] = data
    bundle.manifest["files"].append(file_entry(_PARQUET, "parquet", 0, len(ROWS), data))
    return bundle.zipped()


@fault(ReasonCode.REJECTED_MALFORMED)
def rejected_rows_without_code() -> bytes:
    bundle = plain_bundle()
    data = json.dumps({"line_number": 7, "raw_text": "x", "message": "y"}).encode() + b"\n"
    bundle.files[_REJECTED] = data
    bundle.manifest["files"].append(file_entry(_REJECTED, "jsonl", 0, 1, data))
    bundle.manifest["rejected_count"] = 1
    return bundle.zipped()
