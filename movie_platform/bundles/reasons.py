"""Why a bundle is refused: one code a kind of fault.

The codes are part of what people and scripts rely on (answers of the Lambda, `reason.json`, alerts): they are
added to, never renamed.
"""

from enum import StrEnum


class ReasonCode(StrEnum):
    """The kinds of faults. The value is what is written into `reason.json`."""

    # The container.
    EMPTY_FILE = "empty_file"
    NOT_A_ZIP = "not_a_zip"
    TRUNCATED = "truncated"
    ZIP_MALFORMED = "zip_malformed"
    HEADER_MISMATCH = "header_mismatch"
    OVERLAPPING_ENTRIES = "overlapping_entries"
    TOO_LARGE = "too_large"
    TOO_MANY_ENTRIES = "too_many_entries"
    RATIO_TOO_HIGH = "ratio_too_high"
    UNSUPPORTED_COMPRESSION = "unsupported_compression"
    ENCRYPTED_ENTRY = "encrypted_entry"
    INFLATE_FAILED = "inflate_failed"
    CRC_MISMATCH = "crc_mismatch"

    # The names of its entries.
    BAD_ENTRY_NAME = "bad_entry_name"
    ABSOLUTE_PATH = "absolute_path"
    PATH_ESCAPE = "path_escape"
    LINK_ENTRY = "link_entry"
    DUPLICATE_ENTRY = "duplicate_entry"
    UNEXPECTED_ENTRY = "unexpected_entry"
    MISSING_ENTRY = "missing_entry"

    # The manifest.
    MISSING_MANIFEST = "missing_manifest"
    MANIFEST_NOT_JSON = "manifest_not_json"
    UNKNOWN_FORMAT_VERSION = "unknown_format_version"
    MANIFEST_INVALID = "manifest_invalid"
    BATCH_ID_INVALID = "batch_id_invalid"
    PARTS_INCONSISTENT = "parts_inconsistent"
    COLUMNS_NOT_IN_CONTRACT = "columns_not_in_contract"

    # The files that it names.
    SIZE_MISMATCH = "size_mismatch"
    CHECKSUM_MISMATCH = "checksum_mismatch"
    ROW_COUNT_MISMATCH = "row_count_mismatch"
    COLUMNS_MISMATCH = "columns_mismatch"
    NOT_UTF8 = "not_utf8"
    NUL_BYTE = "nul_byte"
    CSV_MALFORMED = "csv_malformed"
    ROW_TOO_LONG = "row_too_long"
    PARQUET_MALFORMED = "parquet_malformed"
    REJECTED_MALFORMED = "rejected_malformed"
    NESTED_ARCHIVE = "nested_archive"

    # Where it was put.
    BAD_KEY = "bad_key"
    SOURCE_MISMATCH = "source_mismatch"
    PARTITION_MISMATCH = "partition_mismatch"
    BATCH_ID_REUSED = "batch_id_reused"
